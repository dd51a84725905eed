using System.Buffers.Text;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Backplane;

/// <summary>One call of accept.lua: its keys and arguments, and what it answers.</summary>
/// <param name="batch">Its messages; those of one room stand next to each other.</param>
/// <param name="limits">How much of a room is kept.</param>
internal readonly struct AcceptScript(List<PostedMessage> batch, LogLimits limits)
{
    private const int KeysOfRoom = 3;
    private const int ValuesBeforeRooms = 7;
    private const int ValuesOfRoom = 4;
    private const int ValuesOfMessage = 6;

    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    /// <returns>A line for each message.</returns>
    public async Task<byte[]> RunAsync(GenerationScripts scripts, DateTimeOffset now)
    {
        var (keys, values) = Arguments(now);
        return (byte[])(await scripts.AcceptAsync(keys, values))!;
    }

    /// <summary>Tells the outcome that the first line of the answers holds.</summary>
    /// <returns>The other lines.</returns>
    public static ReadOnlyMemory<byte> Tell(PostedMessage posted, ReadOnlyMemory<byte> answers)
    {
        var (draft, _, listener) = posted;
        var end = answers.Span.IndexOf((byte)'\n');
        var line = end < 0 ? answers.Span : answers.Span[..end];
        if (line.StartsWith("! "u8))
        {
            listener.OnUnavailable(draft, new($"Redis did not accept the message: {Encoding.UTF8.GetString(line[2..])}"));
        }
        else
        {
            listener.OnAccepted(draft, Parse(line, draft.Timestamp, draft.Seen.Epoch));
        }

        return end < 0 ? default : answers[(end + 1)..];
    }

    /// <summary>Reads what an identifier's key holds: the first answer.</summary>
    public static Acceptance ParseKnown(string answer) => Parse(Encoding.ASCII.GetBytes($"{answer} repeat"), "", null);

    private (RedisKey[] Keys, RedisValue[] Values) Arguments(DateTimeOffset now)
    {
        var (rooms, files) = Count();
        var keys = new RedisKey[(KeysOfRoom * rooms) + batch.Count + files];
        var values = new RedisValue[ValuesBeforeRooms + (ValuesOfRoom * rooms) + (ValuesOfMessage * batch.Count)];
        values[0] = Epoch.New();
        values[1] = limits.Messages;
        values[2] = (long)(limits.Age + TimeSpan.FromHours(1)).TotalSeconds;
        values[3] = (long)limits.IdentifierAge.TotalSeconds;
        values[4] = "PUBLISH";
        values[5] = RedisKeys.OutboxFilled;
        values[6] = now.ToUnixTimeSeconds() / 3600;
        var (key, value, file) = (0, ValuesBeforeRooms, keys.Length - files);
        for (var rest = CollectionsMarshal.AsSpan(batch); rest.Length > 0;)
        {
            var (draft, names, _) = rest[0];
            var count = LengthOfRun(rest);
            keys[key++] = names.Room;
            keys[key++] = names.Log;
            keys[key++] = names.Outbox;
            values[value++] = count;
            values[value++] = names.Channel;
            values[value++] = draft.Seen.Epoch ?? "";
            values[value++] = draft.Seen.Seq;
            foreach (ref readonly var posted in rest[..count])
            {
                draft = posted.Draft;
                keys[key++] = names.Identifier(draft.UserId, draft.Identifier);
                values[value++] = (ReadOnlyMemory<byte>)draft.Json.Head;
                values[value++] = (ReadOnlyMemory<byte>)draft.Json.Tail;
                values[value++] = RoomPayload.Connection(draft.Origin);
                values[value++] = draft.Timestamp;
                values[value++] = draft.TokenKey;
                values[value++] = draft.File is { } held ? AddFile(keys, ref file, held) : "";
            }

            rest = rest[count..];
        }

        return (keys, values);
    }

    private (int Rooms, int Files) Count()
    {
        var (rooms, files) = (0, 0);
        for (var rest = CollectionsMarshal.AsSpan(batch); rest.Length > 0; rooms++)
        {
            var count = LengthOfRun(rest);
            foreach (ref readonly var posted in rest[..count])
            {
                files += posted.Draft.File is null ? 0 : 1;
            }

            rest = rest[count..];
        }

        return (rooms, files);
    }

    /// <returns>How many messages at the beginning are of one room.</returns>
    private static int LengthOfRun(ReadOnlySpan<PostedMessage> messages)
    {
        var length = 1;
        while (length < messages.Length && messages[length].Draft.Room == messages[0].Draft.Room)
        {
            length++;
        }

        return length;
    }

    private static RedisValue AddFile(RedisKey[] keys, ref int next, HeldFile file)
    {
        keys[next++] = RedisKeys.File(file.Id);
        return string.Create(CultureInfo.InvariantCulture, $"{next} {(long)file.Retention.TotalSeconds}");
    }

    private static Acceptance Parse(ReadOnlySpan<byte> line, string timestamp, string? seenEpoch)
    {
        if (!Utf8Parser.TryParse(line, out long seq, out var digits))
        {
            throw new FormatException($"The accept script answered \"{Encoding.UTF8.GetString(line)}\".");
        }

        line = line[(digits + 1)..];
        var space = line.IndexOf((byte)' ');
        var epoch = Epoch.Read(space < 0 ? line : line[..space], seenEpoch);
        return space < 0
            ? new(seq, epoch, timestamp, IsRepeat: false)
            : new(seq, epoch, Encoding.ASCII.GetString(line[(space + 1)..line.LastIndexOf((byte)' ')]), IsRepeat: true);
    }
}
