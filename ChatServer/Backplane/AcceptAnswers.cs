using System.Buffers.Text;
using System.Text;

namespace ChatServer.Backplane;

/// <summary>Reads what accept.lua answers, message by message, in the order of the call.</summary>
/// <param name="lines">A line <c>= epoch</c> for each room, and behind it one for each of its messages.</param>
internal struct AcceptAnswers(ReadOnlyMemory<byte> lines)
{
    private ReadOnlyMemory<byte> _rest = lines;
    private string _epoch = "";

    /// <summary>Tells the next message its outcome.</summary>
    /// <exception cref="FormatException">The script never answers so.</exception>
    public void Tell(PostedMessage posted)
    {
        var (draft, _, listener) = posted;
        var line = NextLine();
        if (line.StartsWith("= "u8))
        {
            _epoch = Epoch.Read(line[2..], draft.Seen.Epoch);
            line = NextLine();
        }

        if (line.StartsWith("! "u8))
        {
            listener.OnUnavailable(draft, new($"Redis did not accept the message: {Encoding.UTF8.GetString(line[2..])}"));
        }
        else
        {
            listener.OnAccepted(draft, Parse(line, _epoch, draft.Timestamp));
        }
    }

    /// <summary>Reads what an identifier's key holds: the first answer.</summary>
    /// <exception cref="FormatException">The script never writes so.</exception>
    public static Acceptance ParseKnown(string answer) => Parse(Encoding.ASCII.GetBytes($"{answer} repeat"), "", "");

    private ReadOnlySpan<byte> NextLine()
    {
        var line = _rest.Span;
        var end = line.IndexOf((byte)'\n');
        _rest = end < 0 ? default : _rest[(end + 1)..];
        return end < 0 ? line : line[..end];
    }

    /// <exception cref="FormatException">The script never answers so.</exception>
    private static Acceptance Parse(ReadOnlySpan<byte> line, string epoch, string timestamp)
    {
        if (!Utf8Parser.TryParse(line, out long seq, out var digits))
        {
            throw Foreign(line);
        }

        if (digits == line.Length)
        {
            return new(seq, epoch, timestamp, IsRepeat: false);
        }

        var rest = line[(digits + 1)..];
        var (space, last) = (rest.IndexOf((byte)' '), rest.LastIndexOf((byte)' '));
        if (line[digits] != ' ' || space == last)
        {
            throw Foreign(line);
        }

        return new(
            seq, Encoding.ASCII.GetString(rest[..space]), Encoding.ASCII.GetString(rest[(space + 1)..last]), IsRepeat: true);
    }

    private static FormatException Foreign(ReadOnlySpan<byte> line) =>
        new($"The accept script answered \"{Encoding.UTF8.GetString(line)}\".");
}
