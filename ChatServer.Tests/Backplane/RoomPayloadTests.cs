using System.Text;
using ChatServer.Backplane;
using ChatServer.Tests.Backplane.Support;

namespace ChatServer.Tests.Backplane;

public sealed class RoomPayloadTests
{
    [Theory]
    [InlineData(0, 0UL)]
    [InlineData(7, 1UL)]
    [InlineData(long.MaxValue, ulong.MaxValue)]
    public void Notice_RoundTrip_IsTheSame(long user, ulong connection)
    {
        var heard = new Heard();

        new RoomPayloadReader(heard).Read(RoomPayload.Notice(new(user, connection, "{\"a\":\"\\n\"}\n"u8.ToArray()))).Should().BeTrue();

        var notice = heard.Notices.Should().ContainSingle().Subject;
        (notice.ExceptUserId, notice.ExceptConnection, Heard.Text(notice.Json)).Should().Be((user, connection, "{\"a\":\"\\n\"}\n"));
    }

    [Fact]
    public void Message_AsTheScriptWritesIt_IsRead()
    {
        var heard = new Heard();

        new RoomPayloadReader(heard).Read(Encoding.UTF8.GetBytes($"m 501 k3 {RoomPayload.Connection(255)} 8\n{{\"ü\":1}}")).Should()
            .BeTrue();

        var message = heard.Messages.Should().ContainSingle().Subject;
        (message.Seq, message.Epoch, message.Origin, Heard.Text(message.Json)).Should().Be((501, "k3", 255UL, "{\"ü\":1}"));
    }

    [Fact]
    public void Messages_ThatShareAPublication_AreReadInOrder()
    {
        var heard = new Heard();

        new RoomPayloadReader(heard).Read("m 1 k3 01 6\n\"a\\nb\"m 2 k3 02 2\n{}m 3 k4 01 3\n\"c\""u8.ToArray()).Should().BeTrue();

        heard.Messages.Select(message => (message.Seq, message.Epoch, message.Origin, Heard.Text(message.Json))).Should()
            .Equal((1, "k3", 1UL, "\"a\\nb\""), (2, "k3", 2UL, "{}"), (3, "k4", 1UL, "\"c\""));
    }

    [Theory]
    [InlineData("")]
    [InlineData("m 1 e 0")]
    [InlineData("m 1 e 0\n{}")]
    [InlineData("m 1 e 0 3\n{}")]
    [InlineData("m 1 e 0 -1\n{}")]
    [InlineData("m 1 e 0 x\n{}")]
    [InlineData("m 1 e 0 2 0\n{}")]
    [InlineData("m 1 e 0 2 0 0 0\n{}")]
    [InlineData("m x e 0 2\n{}")]
    [InlineData("m 1 e 0g 2\n{}")]
    [InlineData("n 1\n{}")]
    [InlineData("q 1 0\n{}")]
    [InlineData("\n{}")]
    public void Read_AnythingElse_IsNobodys(string payload)
    {
        var heard = new Heard();

        new RoomPayloadReader(heard).Read(Encoding.UTF8.GetBytes(payload)).Should().BeFalse();

        heard.Messages.Should().BeEmpty();
        heard.Notices.Should().BeEmpty();
    }
}
