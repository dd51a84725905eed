using ChatServer.Protocol;
using ChatServer.Requests;
using ChatServer.Tests.Rooms.Support;

namespace ChatServer.Tests.Requests;

public sealed class RepliesTests
{
    private readonly RoomPeer _peer = new();

    [Fact]
    public void Error_NothingKnownOfTheFrame_HasNeitherRoomNorIdentifier()
    {
        Replies.Error(_peer.Connection, ErrorCode.BadFrame, "why");

        Sent().Should().Be("""{"type":"info","success":false,"code":"bad_frame","message":"why"}""");
        _peer.Connection.IsClosing.Should().BeFalse("an error keeps the connection");
    }

    [Fact]
    public void Error_OfAFrame_NamesItsRoomAndItsIdentifierWithoutEscapes()
    {
        var frame = ClientFrameParser.Parse("""{"type":"chat","room_id":12,"identifier":"\u0061\"1"}"""u8, out _);

        Replies.Error(_peer.Connection, ErrorCode.NotInRoom, "why", frame);

        var error = _peer.Outbound.Texts.Should().ContainSingle().Subject;
        (error["room_id"]!.GetValue<long>(), error["identifier"]!.GetValue<string>()).Should().Be((12, "a\"1"));
    }

    [Fact]
    public void Error_OfAFrameThatNamesNothing_HasNeither()
    {
        var frame = ClientFrameParser.Parse("""{"type":"nonsense"}"""u8, out _);

        Replies.Error(_peer.Connection, ErrorCode.UnknownType, "why", frame);

        Sent().Should().Be("""{"type":"info","success":false,"code":"unknown_type","message":"why"}""");
    }

    [Fact]
    public void AuthFailed_TellsTheReasonThenClosesWithIt()
    {
        Replies.AuthFailed(_peer.Connection, CloseReason.InvalidToken, "why");

        Sent().Should().Be("""{"type":"auth","success":false,"code":"invalid_token","message":"why"}""");
        _peer.Outbound.CloseCodes.Should().Equal(4500);
        _peer.Outbound.Frames[^1].Opcode.Should().Be(ChatServer.WebSockets.Opcode.Close, "the words come before the end");
    }

    private string Sent() => _peer.Outbound.Texts.Should().ContainSingle().Subject.ToJsonString();
}
