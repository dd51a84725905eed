using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.Wire;

namespace ChatServer.Bench;

/// <summary>The steps of the hot path, each beside the plain way to do the same, in the same run: medians and their ratio.</summary>
internal static class Micro
{
    private const int Rounds = 15;
    private const int CallsPerRound = 50_000;

    private static readonly byte[] Chat = Encoding.UTF8.GetBytes(
        $$"""{"type":"chat","room_id":12,"identifier":"0b9d3c1e-7f63-4f0e-9a0e-2f8f4be0a1c7","body":"{{new string('x', 256)}}"}""");

    public static string Run()
    {
        var table = new StringBuilder("| step | ours, ns | plain way, ns | plain / ours |\n|---|---|---|---|\n");
        Row(table, "parse a chat frame / JsonDocument", ParseOurs, ParsePlain);
        Row(table, "compose a message / Utf8JsonWriter", ComposeOurs, ComposePlain);
        Row(table, "frame 256 bytes / copy alone", FrameOurs, CopyAlone);
        return table.ToString();
    }

    private static void Row(StringBuilder table, string step, Func<int> ours, Func<int> plain)
    {
        var (fast, slow) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            // In turn, so that a busy machine is busy for both.
            fast.Add(Time(ours));
            slow.Add(Time(plain));
        }

        var (mine, theirs) = (Median(fast), Median(slow));
        table.Append(CultureInfo.InvariantCulture, $"| {step} | {mine:F0} | {theirs:F0} | {theirs / mine:F1} |\n");
    }

    private static double Time(Func<int> step)
    {
        var sum = 0;
        var start = Stopwatch.GetTimestamp();
        for (var call = 0; call < CallsPerRound; call++)
        {
            sum += step();
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        return sum > 0 ? elapsed.TotalNanoseconds / CallsPerRound : throw new InvalidOperationException("A step did nothing.");
    }

    private static double Median(List<double> times)
    {
        times.Sort();
        return times[times.Count / 2];
    }

    private static int ParseOurs() =>
        ClientFrameParser.Parse(Chat, out var problem) is { RoomId: 12 } frame && problem is null ? frame.Body.Raw.Length : 0;

    private static int ParsePlain()
    {
        using var document = JsonDocument.Parse(Chat);
        var root = document.RootElement;
        return root.GetProperty("type").GetString() == "chat" && root.GetProperty("room_id").GetInt64() == 12 && root.GetProperty("identifier").GetString() is not null
            ? root.GetProperty("body").GetString()!.Length
            : 0;
    }

    private static int ComposeOurs()
    {
        var frame = ClientFrameParser.Parse(Chat, out _);
        var (head, tail) = MessageComposer.Chat(new(3, 12), 7, frame.Identifier, frame.Body, "2026-01-01T00:00:00.000Z");
        return MessageComposer.Join(head, 501, tail).Length;
    }

    private static int ComposePlain()
    {
        using var document = JsonDocument.Parse(Chat);
        var root = document.RootElement;
        using var stream = new MemoryStream();
        using var writer = new Utf8JsonWriter(stream);
        writer.WriteStartObject();
        writer.WriteString("type", "chat");
        writer.WriteNumber("room_id", 12);
        writer.WriteNumber("seq", 501);
        writer.WriteString("identifier", root.GetProperty("identifier").GetString());
        writer.WriteNumber("from_user_id", 7);
        writer.WriteNumber("company_id", 3);
        writer.WriteString("body", root.GetProperty("body").GetString());
        writer.WriteString("timestamp", "2026-01-01T00:00:00.000Z");
        writer.WriteEndObject();
        writer.Flush();
        return (int)stream.Length;
    }

    private static int FrameOurs()
    {
        Span<byte> destination = stackalloc byte[512];
        return FrameWriter.Write(destination, Opcode.Text, Chat.AsSpan(0, 256));
    }

    private static int CopyAlone()
    {
        Span<byte> destination = stackalloc byte[512];
        Chat.AsSpan(0, 256).CopyTo(destination);
        return destination[255];
    }
}
