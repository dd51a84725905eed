using System.Text.Json;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using ChatServer.Protocol;

namespace ChatServer.Bench.Micro;

/// <summary>From a client's frame to the message that all members get.</summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
public class ParseBenchmarks
{
    [BenchmarkCategory("parse")]
    [Benchmark]
    public int Parse() => ClientFrameParser.Parse(Samples.ChatFrame, out _).Body.Raw.Length;

    [BenchmarkCategory("parse")]
    [Benchmark(Baseline = true)]
    public int ParseWithJsonDocument()
    {
        using var document = JsonDocument.Parse(Samples.ChatFrame);
        var root = document.RootElement;
        return root.GetProperty("type").GetString() == "chat" && root.GetProperty("room_id").GetInt64() == 12
            ? root.GetProperty("identifier").GetString()!.Length + root.GetProperty("body").GetString()!.Length
            : 0;
    }

    [BenchmarkCategory("parse and compose")]
    [Benchmark]
    public ReadOnlyMemory<byte> Compose()
    {
        var frame = ClientFrameParser.Parse(Samples.ChatFrame, out _);
        var message = MessageComposer.Chat(new(3, 12), 7, frame.Identifier, frame.Body, Samples.Timestamp);
        return message.Number(501);
    }

    [BenchmarkCategory("parse and compose")]
    [Benchmark(Baseline = true)]
    public byte[] ComposeWithUtf8JsonWriter()
    {
        using var document = JsonDocument.Parse(Samples.ChatFrame);
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
        writer.WriteString("timestamp", Samples.Timestamp);
        writer.WriteEndObject();
        writer.Flush();
        return stream.ToArray();
    }
}
