using System.Security.Cryptography.X509Certificates;
using Compat.Tests.Support;
using StackExchange.Redis;

namespace Compat.Tests.Redis;

/// <summary>TLS to Redis, which goes through <c>StreamConnection</c>.</summary>
public sealed class TlsTests(RedisServer server) : IClassFixture<RedisServer>
{
    [Fact]
    public async Task Tls_LargeAndManyReplies_ArriveWhole()
    {
        await using var redis = await ConnectAsync(server.TlsEndPoint);
        var db = redis.GetDatabase();
        var value = Pattern.Bytes(10_000_000);
        await db.StringSetAsync("tls", value).WaitAsync(Limits.Long);
        ((byte[]?)await db.StringGetAsync("tls").WaitAsync(Limits.Long)).AsSpan().SequenceEqual(value).Should().BeTrue();
        var replies = await Task.WhenAll(Enumerable.Range(0, 20_000).Select(_ => db.StringIncrementAsync("tls:count")))
            .WaitAsync(Limits.Long);
        replies.Should().Equal(Enumerable.Range(1, 20_000).Select(i => (long)i));
    }

    [Fact]
    public async Task Tls_PubSub_ArrivesInOrder()
    {
        await using var redis = await ConnectAsync(server.TlsEndPoint);
        var queue = await redis.GetSubscriber().SubscribeAsync(RedisChannel.Literal("tls")).WaitAsync(Limits.Short);
        for (var i = 0; i < 1000; i++)
        {
            await redis.GetDatabase().PublishAsync(RedisChannel.Literal("tls"), i, CommandFlags.FireAndForget);
        }

        for (var i = 0; i < 1000; i++)
        {
            ((int)(await queue.ReadAsync().AsTask().WaitAsync(Limits.Short)).Message).Should().Be(i);
        }
    }

    [Fact]
    public async Task Tls_CutInMidReply_FailsThatReplyAndRecovers()
    {
        await using var proxy = new TcpProxy(server.TlsEndPoint);
        await using var redis = await ConnectAsync(proxy.EndPoint);
        var db = redis.GetDatabase();
        await db.StringSetAsync("tls:cut", Pattern.Bytes(3_000_000)).WaitAsync(Limits.Short);
        proxy.CutAfter(1_000_000);
        var get = () => db.StringGetAsync("tls:cut").WaitAsync(Limits.Long);
        await get.Should().ThrowAsync<RedisConnectionException>();
        await Limits.UntilAsync(() => redis.IsConnected, "it reconnects");
        ((byte[]?)await get()).AsSpan().SequenceEqual(Pattern.Bytes(3_000_000)).Should().BeTrue();
    }

    [Fact]
    public async Task Tls_CertificateRefused_DoesNotConnect()
    {
        var options = Options(server.TlsEndPoint);
        options.CertificateValidation += static (_, _, _, _) => false;
        await using var redis = await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(Limits.Long);
        redis.IsConnected.Should().BeFalse();
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(System.Net.EndPoint endPoint)
    {
        var options = Options(endPoint);
        options.CertificateValidation += (_, certificate, _, _) =>
            certificate is X509Certificate2 shown && shown.Thumbprint == server.Certificate.Thumbprint;
        return await ConnectionMultiplexer.ConnectAsync(options).WaitAsync(Limits.Long);
    }

    private ConfigurationOptions Options(System.Net.EndPoint endPoint)
    {
        var options = server.Options(endPoint);
        options.Ssl = true;
        options.SslHost = "127.0.0.1";
        return options;
    }
}
