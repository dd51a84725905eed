using System.Text;
using ChatServer.Relay;

namespace ChatServer.Tests.Relay;

public sealed class RelayPayloadTests
{
    [Theory]
    [InlineData(0, 0UL)]
    [InlineData(7, 1UL)]
    [InlineData(long.MaxValue, ulong.MaxValue)]
    public void Notice_RoundTrip_IsTheSame(long user, ulong connection)
    {
        var heard = new Heard();

        RelayPayload.Deliver(RelayPayload.Notice(new(user, connection, "{\"a\":\"\\n\"}\n"u8.ToArray())), heard).Should().BeTrue();

        var notice = heard.Notices.Should().ContainSingle().Subject;
        (notice.ExceptUserId, notice.ExceptConnection, Heard.Text(notice.Json)).Should().Be((user, connection, "{\"a\":\"\\n\"}\n"));
    }

    [Fact]
    public void Message_AsTheScriptWritesIt_IsRead()
    {
        var heard = new Heard();

        RelayPayload.Deliver(Encoding.UTF8.GetBytes($"m 501 k3 {RelayPayload.Connection(255)}\n{{\"ü\":1}}"), heard).Should().BeTrue();

        var message = heard.Messages.Should().ContainSingle().Subject;
        (message.Seq, message.Epoch, message.Origin, Heard.Text(message.Json)).Should().Be((501, "k3", 255UL, "{\"ü\":1}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("m 1 e 0")]
    [InlineData("m 1 e 0 0\n{}")]
    [InlineData("m 1 e 0 0 0 0 0\n{}")]
    [InlineData("m x e 0\n{}")]
    [InlineData("m 1 e 0g\n{}")]
    [InlineData("n 1\n{}")]
    [InlineData("q 1 0\n{}")]
    [InlineData("\n{}")]
    public void Deliver_AnythingElse_IsNobodys(string payload)
    {
        var heard = new Heard();

        RelayPayload.Deliver(Encoding.UTF8.GetBytes(payload), heard).Should().BeFalse();

        heard.Messages.Should().BeEmpty();
        heard.Notices.Should().BeEmpty();
    }
}
