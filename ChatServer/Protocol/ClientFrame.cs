using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace ChatServer.Protocol;

/// <summary>What a client asks for: the <c>type</c> of its text frame.</summary>
internal enum ClientFrameType
{
    Unknown,
    Auth,
    Join,
    Leave,
    Chat,
    File,
    Cancel,
    Ping,
}

/// <summary>A JSON string as it stood in a frame: the bytes between its quotes, escapes included.</summary>
/// <param name="raw">The bytes, valid as the content of a JSON string anywhere else.</param>
/// <param name="escaped">Whether <paramref name="raw"/> holds escapes.</param>
internal readonly ref struct JsonText(ReadOnlySpan<byte> raw, bool escaped)
{
    public ReadOnlySpan<byte> Raw { get; } = raw;

    public bool IsEmpty => Raw.IsEmpty;

    /// <summary>The text that was meant, without escapes, of a string that is not known to be sound.</summary>
    /// <returns>False if there is no such text: an escape stands for half of a surrogate pair.</returns>
    public bool TryUnescape([NotNullWhen(true)] out string? text)
    {
        try
        {
            text = Unescape();
            return true;
        }
        catch (InvalidOperationException)
        {
            text = null;
            return false;
        }
    }

    /// <summary>The text that was meant, without escapes.</summary>
    /// <exception cref="InvalidOperationException">An escape stands for half of a surrogate pair.</exception>
    public string Unescape()
    {
        if (!escaped)
        {
            return Encoding.UTF8.GetString(Raw);
        }

        var reader = new Utf8JsonReader((ReadOnlySpan<byte>)[(byte)'"', .. Raw, (byte)'"']);
        reader.Read();
        return reader.GetString()!;
    }
}

/// <summary>
/// One text frame of a client, read once and without a DOM. Strings stay slices of the frame, so an instance lives as long as the frame's
/// buffer. Unknown members are passed over, of a member given twice the last one counts. All strings can be unescaped but those of files:
/// whether these are sound matters in file frames only.
/// </summary>
internal ref struct ClientFrame
{
    public ClientFrameType Type { get; internal set; }

    /// <summary>What <c>type</c> said, for the answer to an unknown one.</summary>
    public JsonText TypeName { get; internal set; }

    /// <summary>0 if the frame has none; else 1 to <see cref="RoomKey.MaxRoomId"/>.</summary>
    public long RoomId { get; internal set; }

    /// <summary>The seq that the client has seen last; null asks for a fresh view.</summary>
    public long? Since { get; internal set; }

    public JsonText Epoch { get; internal set; }

    public JsonText Identifier { get; internal set; }

    public JsonText Body { get; internal set; }

    /// <summary>The name of a file that is to be sent, unchecked; empty if there is no such string.</summary>
    public JsonText Name { get; internal set; }

    /// <summary>What kind of file it is, unchecked; empty if there is no such string.</summary>
    public JsonText ContentType { get; internal set; }

    /// <summary>Bytes of the file; null if there is no integer from 0 to 2^53-1.</summary>
    public long? Size { get; internal set; }

    public JsonText Token { get; internal set; }

    /// <summary>The raw JSON array of <c>rooms</c> in an auth frame; empty if there is none.</summary>
    public ReadOnlySpan<byte> Rooms { get; internal set; }

    /// <summary>The user id that the frame claims; null: no claim; -1: something that is no id.</summary>
    public long? UserId { get; internal set; }

    /// <summary>The company id that the frame claims; null: no claim; -1: something that is no id.</summary>
    public long? CompanyId { get; internal set; }
}
