using System.Text;
using ChatServer.Protocol;
using ChatServer.WebSockets;

namespace ChatServer.Tests.WebSockets.Support;

/// <summary>An event that outlives its reader's buffers.</summary>
internal sealed record Seen(FrameEventKind Kind, string Payload, bool EndOfMessage, CloseReason Reason)
{
    public static Seen Text(string text) => new(FrameEventKind.Text, Hex(Encoding.UTF8.GetBytes(text)), EndOfMessage: true, default);

    public static Seen Binary(ReadOnlySpan<byte> bytes, bool end = true) => new(FrameEventKind.Binary, Hex(bytes), end, default);

    public static Seen Ping(ReadOnlySpan<byte> bytes) => new(FrameEventKind.Ping, Hex(bytes), EndOfMessage: true, default);

    public static Seen Pong(ReadOnlySpan<byte> bytes) => new(FrameEventKind.Pong, Hex(bytes), EndOfMessage: true, default);

    public static Seen Close(CloseReason reason) => new(FrameEventKind.Close, "", EndOfMessage: true, reason);

    public static Seen Violation(CloseReason reason) => new(FrameEventKind.Violation, "", EndOfMessage: true, reason);

    /// <summary>Feeds the stream cut at the given places, each piece in memory of its own size with a guard behind it.</summary>
    public static List<Seen> Read(FrameReader reader, ReadOnlySpan<byte> stream, params ReadOnlySpan<int> cuts)
    {
        var seen = new List<Seen>();
        int at = 0;
        foreach (int cut in (ReadOnlySpan<int>)[.. cuts, stream.Length])
        {
            Feed(reader, stream[at..cut], seen);
            at = cut;
        }

        return seen;
    }

    /// <summary>Binary chunks up to the end of their message, or up to what comes between, as one: how they are cut is free.</summary>
    public static List<Seen> Joined(List<Seen> seen)
    {
        var joined = new List<Seen>();
        foreach (var one in seen)
        {
            if (one.Kind == FrameEventKind.Binary && joined is [.., { Kind: FrameEventKind.Binary, EndOfMessage: false } before])
            {
                joined[^1] = one with { Payload = before.Payload + one.Payload };
            }
            else
            {
                joined.Add(one);
            }
        }

        return joined;
    }

    private static void Feed(FrameReader reader, ReadOnlySpan<byte> piece, List<Seen> seen)
    {
        const byte Guard = 0x5A;
        var memory = new byte[piece.Length + 64];
        memory.AsSpan().Fill(Guard);
        piece.CopyTo(memory.AsSpan(32));
        var input = memory.AsSpan(32, piece.Length);
        while (true)
        {
            var happened = reader.Read(ref input);
            if (happened.Kind == FrameEventKind.None)
            {
                break;
            }

            seen.Add(new Seen(happened.Kind, Hex(happened.Payload), happened.EndOfMessage, happened.Reason));
        }

        // Plain asserts: this runs a million times.
        Assert.True(input.IsEmpty, "None is answered with all input consumed");
        Assert.True(memory.AsSpan(0, 32).IndexOfAnyExcept(
            Guard) < 0 && memory.AsSpan(32 + piece.Length).IndexOfAnyExcept(Guard) < 0, "the input's neighbours stay");
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes);
}
