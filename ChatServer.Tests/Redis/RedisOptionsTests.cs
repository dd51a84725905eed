using ChatServer.Redis;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Redis;

public sealed class RedisOptionsTests
{
    [Theory]
    [InlineData("redis", "redis", 6379)]
    [InlineData("redis.example.com:7000", "redis.example.com", 7000)]
    [InlineData("10.0.0.5", "10.0.0.5", 6379)]
    [InlineData("10.0.0.5:7000", "10.0.0.5", 7000)]
    [InlineData("::1", "::1", 6379)]
    [InlineData("[::1]", "::1", 6379)]
    [InlineData("[::1]:7000", "::1", 7000)]
    public void Read_AHost_IsUnderstood(string entry, string host, int port)
    {
        var reader = TestSettings.Reader(("REDIS_HOST", entry));

        var endPoint = RedisOptions.Read(reader).EndPoints.Should().ContainSingle().Subject;

        (endPoint.Host, endPoint.Port).Should().Be((host, port));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Read_EverythingSet_ReachesStackExchangeRedis()
    {
        var reader = TestSettings.Reader(
            ("REDIS_HOST", "redis"), ("REDIS_PORT", "7001"), ("REDIS_USER", "chat"), ("REDIS_PASSWORD", " pass,word=1 "),
            ("CHAT_REDIS_DATABASE", "3"), ("CHAT_REDIS_TLS", "true"));

        var configuration = RedisOptions.Read(reader).ToConfiguration();

        reader.Mistakes.Should().BeEmpty();
        (configuration.User, configuration.Password, configuration.DefaultDatabase, configuration.Ssl).Should()
            .Be(("chat", " pass,word=1 ", 3, true));
        configuration.EndPoints.Should().ContainSingle().Which.Should().Be(new System.Net.DnsEndPoint("redis", 7001));
        configuration.AbortOnConnectFail.Should().BeFalse("a Redis that is down at the start is waited for");
        configuration.AsyncTimeout.Should().BeLessThan(2000);
    }

    [Theory]
    [InlineData("REDIS_HOST", "redis:port")]
    [InlineData("REDIS_HOST", "redis:")]
    [InlineData("REDIS_HOST", "redis:0")]
    [InlineData("REDIS_HOST", "redis:65536")]
    [InlineData("REDIS_HOST", "redis:-1")]
    [InlineData("REDIS_HOST", "redis://redis:6379")]
    [InlineData("REDIS_HOST", "re dis")]
    [InlineData("REDIS_HOST", "user@redis")]
    [InlineData("REDIS_HOST", "[::1]:99999")]
    [InlineData("REDIS_PORT", "0")]
    [InlineData("REDIS_PORT", "65536")]
    [InlineData("REDIS_PORT", "abc")]
    [InlineData("REDIS_MODE", "cluster")]
    [InlineData("CHAT_PARTITIONS", "0")]
    public void Read_ASlip_IsOneClearMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        RedisOptions.Read(reader);

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: ");
    }

    [Fact]
    public void Read_SeveralServers_SaysThatOneIsMeant()
    {
        var reader = TestSettings.Reader(("REDIS_HOST", "a:6379,b:6379"));

        RedisOptions.Read(reader);

        reader.Mistakes.Should().ContainSingle();
    }
}
