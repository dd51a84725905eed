using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ChatServer.Protocol;
using ChatServer.Requests;
using ChatServer.Tests.Fuzz.Support;

namespace ChatServer.Tests.Fuzz.Targets;

/// <summary>A client's JSON frame: what of it is used can be unescaped, and a message made of it says the same.</summary>
internal sealed class ClientFrames : FuzzTarget
{
    /// <summary>Also what the socket run sends to somebody who is known.</summary>
    public static IReadOnlyList<byte[]> Valid { get; } = Texts.Utf8(
        """{"type":"chat","room_id":20,"identifier":"a1","body":"Gr\u00fc\u00dfe \ud83d\ude00 \"so\"","user_id":41,"company_id":"9"}""",
        """{"type":"join","room_id":20,"since":3,"epoch":"k3abcdef"}""",
        """{"type":"leave","room_id":20}""",
        """{"type":"ping"}""",
        """{"type":"file","room_id":20,"identifier":"f1","name":"a \u00fc.png","content_type":"image/png","size":5,"body":"x"}""",
        """{"type":"cancel","identifier":"f1"}""",
        """{"type":"auth","token":"abc","rooms":[{"room_id":20,"since":null,"epoch":"x"}]}""",
        """{"type":"chat","room_id":21,"identifier":"ü","body":"世","more":{"a":[1,2,{"b":null}]}}""");

    public override IReadOnlyList<byte[]> Seeds => Valid;

    public override void Take(byte[] input, Random random)
    {
        var frame = ClientFrameParser.Parse(input, out var problem);
        if (!Utf8.IsValid(input))
        {
            // The codec has closed by then.
            return;
        }

        frame.Identifier.Unescape();
        frame.TypeName.Unescape();
        if (problem is not null)
        {
            return;
        }

        frame.Name.TryUnescape(out _);
        frame.ContentType.TryUnescape(out _);
        frame.Epoch.Unescape();
        frame.Token.Unescape();
        var body = frame.Body.Unescape();
        Assert.True(frame.RoomId is >= 0 and <= RoomKey.MaxRoomId && frame.Since is null or >= 0, "numbers are in their range");
        if (frame.Type == ClientFrameType.Chat && frame is { RoomId: > 0, Identifier.IsEmpty: false, Body.IsEmpty: false })
        {
            var json = MessageComposer.Chat(new(9, frame.RoomId), 41, frame.Identifier, frame.Body, "2026-01-01T10:00:00.000Z").Number(5);
            var stored = StoredMessage.Read(json.Span);
            Assert.Equal((frame.RoomId, frame.Identifier.Unescape(), body), (stored.RoomId, stored.Identifier, stored.Body));
        }
    }
}

/// <summary>The first frame brings a token and rooms, or a sentence that says what is wrong.</summary>
internal sealed class FirstFrames : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        "YWJjXzNfNw==", "abc_M183",
        """{"type":"auth","token":"YWJjXzNfNw==","rooms":[{"room_id":12,"since":480,"epoch":"k3"},{"room_id":5},{"room_id":12}]}""",
        """ {"token":"\u0059WJj","type":"auth","rooms":[],"x":{"y":[]}} """,
        """{"type":"auth","token":"t","rooms":null}""");

    public override void Take(byte[] input, Random random)
    {
        var first = FirstFrame.Read(input, out var problem);
        Assert.True(first is null == problem is not null, "there is a token or a problem");
        Assert.True(
            first?.Rooms.All(room => room.RoomId is > 0 and <= RoomKey.MaxRoomId && room.Since is null or >= 0) != false,
            "rooms are sound");
    }
}

/// <summary>A message as the log and the outbox hold it.</summary>
internal sealed class StoredMessages : FuzzTarget
{
    private const string Start = """{"type":"chat","room_id":12,"seq":5,"identifier":"a","from_user_id":7,"company_id":3,""";
    private const string End = ""","timestamp":"2026-01-01T10:00:00.000Z"}""";

    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        $"""{Start}"body":"b"{End}""",
        $$"""{{Start}}"file":{"id":"i","name":"n","content_type":"t","size":5,"sha256":"s","url":"u"}{{End}}""");

    public override void Take(byte[] input, Random random)
    {
        if (StoredMessage.TryRead(input) is { } message)
        {
            Assert.True(message is { RoomId: > 0, CompanyId: > 0, Identifier.Length: > 0 }, "it has what every message has");
            Assert.True(message.At >= default(DateTimeOffset), "it has a time");
            JsonSerializer.Serialize(message, StoredMessageJson.Default.StoredMessage);
            Encoding.UTF8.GetBytes(message.Body ?? "");
        }
    }
}
