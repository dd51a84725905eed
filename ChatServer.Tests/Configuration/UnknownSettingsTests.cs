using ChatServer.Configuration;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Configuration;

public sealed class UnknownSettingsTests
{
    private static readonly string[] Known =
        ["WS_PORT", "WSS_PORT", "REDIS_HOST", "MAX_CONNECTIONS", "ALLOWED_HOSTS", "CHAT_PARTITIONS", "CHAT_LOG_LENGTH"];

    [Theory]
    [InlineData("CHAT_PARTITONS", "CHAT_PARTITONS: is not a setting of ChatServer. Did you mean CHAT_PARTITIONS?")]
    [InlineData("chat_log_lenght", "chat_log_lenght: is not a setting of ChatServer. Did you mean CHAT_LOG_LENGTH?")]
    [InlineData("CHAT_COLOUR", "CHAT_COLOUR: is not a setting of ChatServer.")]
    [InlineData("CHAT_", "CHAT_: is not a setting of ChatServer.")]
    [InlineData("CHAT_WS_PORT", "CHAT_WS_PORT: is not a setting of ChatServer. Did you mean WS_PORT?")]
    [InlineData("MAX_CONECTIONS", "MAX_CONECTIONS: is not a setting of ChatServer. Did you mean MAX_CONNECTIONS?")]
    [InlineData("MAX_CONECTION", "MAX_CONECTION: is not a setting of ChatServer. Did you mean MAX_CONNECTIONS?")]
    [InlineData("REDIS_HSOT", "REDIS_HSOT: is not a setting of ChatServer. Did you mean REDIS_HOST?")]
    [InlineData("REDIS_HOSTS", "REDIS_HOSTS: is not a setting of ChatServer. Did you mean REDIS_HOST?")]
    [InlineData("WS_PORTS", "WS_PORTS: is not a setting of ChatServer. Did you mean WS_PORT?")]
    public void Find_OursOrAlmostAName_WarnsOnce(string name, string warning) =>
        UnknownSettings.Find(TestSettings.Of((name, "1"), ("WS_PORT", "80")), Known).Should().Equal(warning);

    [Theory]
    [InlineData("ws_port")]
    [InlineData("AllowedHosts")]
    [InlineData("DB_PORT")]
    [InlineData("REDIS_URL")]
    [InlineData("PATH")]
    [InlineData("Logging:LogLevel:Default")]
    [InlineData("CHATTY")]
    public void Find_KnownOrSomebodyElses_IsSilent(string name) =>
        UnknownSettings.Find(TestSettings.Of((name, "1")), Known).Should().BeEmpty();

    [Fact]
    public void Find_ASection_IsReportedByItsName() =>
        UnknownSettings.Find(TestSettings.Of(("CHAT_X:A", "1"), ("CHAT_X:B", "2")), Known)
            .Should().Equal("CHAT_X: is not a setting of ChatServer.");
}
