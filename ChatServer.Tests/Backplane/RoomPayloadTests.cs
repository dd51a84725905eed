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
    public void Messages_AsTheScriptWritesThem_AreReadInOrder()
    {
        var heard = new Heard();

        new RoomPayloadReader(heard).Read(Encoding.UTF8.GetBytes(
            "m 9 k3\nm 17 2 00000000000000ff\n{\"type\":\"ü\",\"s\":}}"
            + "m 15 3 0000000000000001\n{\"type\":\"\",\"s\":\n\n}")).Should().BeTrue();

        heard.Messages.Select(message => (message.Seq, message.Epoch, message.Origin, Heard.Text(message.Json))).Should().Equal(
            (9, "k3", 255UL, "{\"type\":\"ü\",\"s\":9}}"), (10, "k3", 1UL, "{\"type\":\"\",\"s\":10\n\n}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("m 1 e")]
    [InlineData("m 1 e\n")]
    [InlineData("m 1\nm 15 1 0000000000000001\n{\"type\":\"\",\"s\":}")]
    [InlineData("m x e\nm 15 1 0000000000000001\n{\"type\":\"\",\"s\":}")]
    [InlineData("m 1 e 0\nm 15 1 0000000000000001\n{\"type\":\"\",\"s\":}")]
    [InlineData("m 1 e\n{}")]
    [InlineData("m 1 e\nm 15 9 0000000000000001\n{\"type\":\"\",\"s\":}")]
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
