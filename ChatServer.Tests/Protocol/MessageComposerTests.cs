using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChatServer.Protocol;

namespace ChatServer.Tests.Protocol;

public sealed class MessageComposerTests
{
    public static TheoryData<string, string> Texts => new()
    {
        { "a1", "hello" },
        { "\\u0061\\\"\\\\", "line\\nnext\\ttab \\/ slash" },
        { "漢字", "👩‍👩‍👧‍👦 עברית \\ud83d\\ude00" },
        { "}],{", "{\\\"type\\\":\\\"file\\\"}" },
        { "\\u0000", "\\u2028" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void Chat_AnyText_IsTheJsonOfTheContract(string identifier, string body)
    {
        foreach (var (room, user, seq) in ((RoomKey, long, long)[])[(new(
            3, 12), 7, 501), (new(long.MaxValue, RoomKey.MaxRoomId), long.MaxValue, long.MaxValue), (new(1, 1), 1, 1)])
        {
            var message = MessageComposer.Chat(room, user, Raw(identifier), Raw(body), "2026-01-01T10:00:00.000Z");
            var json = message.Number(seq).Span;

            JsonNode.Parse(json)!.ToJsonString().Should().Be(new JsonObject
            {
                ["type"] = "chat", ["room_id"] = room.RoomId, ["seq"] = seq, ["identifier"] = Meant(identifier), ["from_user_id"] = user,
                ["company_id"] = room.CompanyId, ["body"] = Meant(body), ["timestamp"] = "2026-01-01T10:00:00.000Z",
            }.ToJsonString());
        }
    }

    [Fact]
    public void File_AnyName_IsTheJsonOfTheContractAndItsAckIsRead()
    {
        var file = new FileDescription("1-x", "Über \"blick\" 表.pdf", "application/pdf", 12, "ab", "/files/1-x");
        var message = MessageComposer.File(new(3, 12), 7, "\\u0061\\\""u8, file, "2026-01-01T10:00:00.000Z");
        var json = message.Number(501).Span;

        JsonNode.Parse(json)!.ToJsonString().Should().Be(new JsonObject
        {
            ["type"] = "file", ["room_id"] = 12, ["seq"] = 501, ["identifier"] = "a\"", ["from_user_id"] = 7, ["company_id"] = 3,
            ["file"] = new JsonObject
            {
                ["id"] = "1-x", ["name"] = file.Name, ["content_type"] = file.ContentType, ["size"] = 12, ["sha256"] = "ab",
                    ["url"] = "/files/1-x",
            },
            ["timestamp"] = "2026-01-01T10:00:00.000Z",
        }.ToJsonString());
        MessageFrame.IsFile(json).Should().BeTrue();
        var ack = Ack.Of(json, 501);
        (ack.RoomId, Encoding.UTF8.GetString(ack.RawIdentifier), Encoding.UTF8.GetString(ack.Timestamp))
            .Should().Be((12, "\\u0061\\\"", "2026-01-01T10:00:00.000Z"));
    }

    [Theory]
    [MemberData(nameof(Texts))]
    public void Ack_OfAMessage_SaysWhatTheMessageSays(string identifier, string body)
    {
        var message = MessageComposer.Chat(new(3, RoomKey.MaxRoomId), 7, Raw(identifier), Raw(body), "2026-01-01T10:00:00.000Z");
        var json = message.Number(501).Span;

        var ack = Ack.Of(json, 501);
        var written = new byte[ack.Length];
        ack.Write(written);

        Encoding.UTF8.GetString(ack.RawIdentifier).Should().Be(identifier);
        JsonNode.Parse(written)!.ToJsonString().Should().Be(new JsonObject
        {
            ["type"] = "ack", ["success"] = true, ["room_id"] = RoomKey.MaxRoomId, ["identifier"] = Meant(identifier), ["seq"] = 501,
            ["timestamp"] = "2026-01-01T10:00:00.000Z",
        }.ToJsonString());
    }

    [Fact]
    public void Ack_OfAFile_PassesOverWhatIsInside()
    {
        var message = """
            {"type":"file","room_id":12,"seq":5,"identifier":"f1","from_user_id":7,
            "file":{"identifier":"x","timestamp":"y","room_id":9},"timestamp":"t"}
            """u8;

        var ack = Ack.Of(message, 5);

        (ack.RoomId, Encoding.UTF8.GetString(ack.RawIdentifier), Encoding.UTF8.GetString(ack.Timestamp)).Should()
            .Be((12, "f1", "t"));
        Encoding.UTF8.GetString(MessageFrame.Opening(message)).Should().Be("{\"type\":\"file\",\"success\":true,\"messages\":[");
    }

    [Fact]
    public void Opening_OfAChatWhoseTextNamesAFile_IsThatOfAChat()
    {
        var message = MessageComposer.Chat(new(3, 1), 7, Raw("{\\\"type\\\":\\\"file\\\""), Raw("x"), "t");

        Encoding.UTF8.GetString(MessageFrame.Opening(message.Number(1).Span)).Should().StartWith("{\"type\":\"chat\"");
    }

    [Fact]
    public void Timestamp_IsUtcWithMilliseconds() =>
        MessageComposer.Timestamp(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 6, TimeSpan.FromHours(2))).Should()
            .Be("2026-01-02T01:04:05.006Z");

    private static JsonText Raw(string raw) => new(Encoding.UTF8.GetBytes(raw), raw.Contains('\\', StringComparison.Ordinal));

    private static string Meant(string raw) => JsonSerializer.Deserialize<string>($"\"{raw}\"")!;
}
