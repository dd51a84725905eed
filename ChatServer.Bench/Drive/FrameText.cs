using System.Buffers.Text;

namespace ChatServer.Bench.Drive;

/// <summary>Text that grows in somebody else's bytes.</summary>
internal ref struct FrameText(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    public int Length { get; private set; }

    public void Add(scoped ReadOnlySpan<byte> text)
    {
        text.CopyTo(_destination[Length..]);
        Length += text.Length;
    }

    public void Add(int number)
    {
        Utf8Formatter.TryFormat(number, _destination[Length..], out var written);
        Length += written;
    }
}

/// <summary>The chat frame of ChatServer's protocol, which the naive relay understands as well.</summary>
internal static class ChatFrame
{
    public static int Write(int room, ReadOnlySpan<byte> identifier, ReadOnlySpan<byte> body, Span<byte> frame)
    {
        var text = new FrameText(frame);
        text.Add("""{"type":"chat","room_id":"""u8);
        text.Add(room);
        text.Add(",\"identifier\":\""u8);
        text.Add(identifier);
        text.Add("\",\"body\":\""u8);
        text.Add(body);
        text.Add("\"}"u8);
        return text.Length;
    }
}
