using ChatServer.Connections;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Connections;

public sealed class ConnectionOptionsTests
{
    [Fact]
    public void Read_NothingSet_GivesTheContractsDefaults()
    {
        var reader = TestSettings.Reader();

        ConnectionOptions.Read(reader).Should().Be(new ConnectionOptions(
            MaxConnections: 50_000, MaxConnectionsPerUser: 20, SendQueueBytes: 1_048_576, AuthTimeout: TimeSpan.FromSeconds(10),
            PingInterval: TimeSpan.FromSeconds(25), PongTimeout: TimeSpan.FromSeconds(10)));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Read_AllSet_TakesEachByItsName()
    {
        var reader = TestSettings.Reader(
            ("MAX_CONNECTIONS", "1"), ("MAX_CONNECTIONS_PER_USER", "2"), ("SEND_QUEUE_BYTES", "65536"), ("AUTH_TIMEOUT", "3"),
            ("PING_INTERVAL", "4"), ("PONG_TIMEOUT", "5"), ("MAX_UNAUTHENTICATED_PER_ADDRESS", "6"));

        ConnectionOptions.Read(reader).Should().Be(new ConnectionOptions(
            1, 2, 65_536, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(5)) { MaxUnauthenticatedPerAddress = 6 });
        reader.Mistakes.Should().BeEmpty();
    }

    [Theory]
    [InlineData("AUTH_TIMEOUT", "0")]
    [InlineData("AUTH_TIMEOUT", "601")]
    [InlineData("PING_INTERVAL", "0")]
    [InlineData("PING_INTERVAL", "2.5")]
    [InlineData("PONG_TIMEOUT", "0")]
    [InlineData("PONG_TIMEOUT", "10s")]
    [InlineData("MAX_CONNECTIONS", "0")]
    [InlineData("MAX_CONNECTIONS_PER_USER", "0")]
    [InlineData("SEND_QUEUE_BYTES", "65535")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        ConnectionOptions.Read(reader).Should().Be(ConnectionOptions.Read(TestSettings.Reader()));

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: \"{value}\" ");
    }
}
