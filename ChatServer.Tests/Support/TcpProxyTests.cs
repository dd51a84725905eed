using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ChatServer.Tests.Support;

public sealed class TcpProxyTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);

    private readonly RedisServer _redis = new();
    private TcpProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        await _redis.InitializeAsync();
        _proxy = new TcpProxy(_redis.Port, isRedis: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task Proxy_LeftAlone_ForwardsBothWays()
    {
        using var client = await ConnectAsync();

        (await AskAsync(client, "ECHO hello\r\n", "$5\r\nhello\r\n".Length)).Should().Be("$5\r\nhello\r\n");
    }

    [Fact]
    public async Task Cut_ResetsTheOpenConnection_AndNewOnesWork()
    {
        using var client = await ConnectAsync();
        await AskAsync(client, "PING\r\n", 7);

        _proxy.Cut();

        await client.Invoking(socket => socket.ReceiveAsync(new byte[1]).WaitAsync(Patience)).Should().ThrowAsync<SocketException>();
        using var next = await ConnectAsync();
        (await AskAsync(next, "PING\r\n", 7)).Should().Be("+PONG\r\n");
    }

    [Fact]
    public async Task Stall_HoldsEverythingBack_UntilItIsResumed()
    {
        using var client = await ConnectAsync();
        await AskAsync(client, "PING\r\n", 7);
        _proxy.Stall();

        var answer = AskAsync(client, "PING\r\n", 7);
        await Task.Delay(Moment);
        answer.IsCompleted.Should().BeFalse();
        _proxy.Resume();

        (await answer).Should().Be("+PONG\r\n");
    }

    [Fact]
    public async Task Delay_HoldsEachChunkUpOnItsWayThereAndBack()
    {
        using var client = await ConnectAsync();
        await AskAsync(client, "PING\r\n", 7);
        _proxy.Delay = Moment;
        var start = TimeProvider.System.GetTimestamp();

        await AskAsync(client, "PING\r\n", 7);

        TimeProvider.System.GetElapsedTime(start).Should().BeGreaterThan(1.8 * Moment);
    }

    [Fact]
    public async Task Refuses_EndsNewConnectionsAndLeavesOpenOnes()
    {
        using var open = await ConnectAsync();
        await AskAsync(open, "PING\r\n", 7);
        _proxy.Refuses = true;

        using var refused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await FluentActions.Awaiting(async () =>
        {
            await refused.ConnectAsync(IPAddress.Loopback, _proxy.Port).WaitAsync(Patience);
            (await refused.ReceiveAsync(new byte[1]).WaitAsync(Patience)).Should().BePositive();
        }).Should().ThrowAsync<SocketException>();

        (await AskAsync(open, "PING\r\n", 7)).Should().Be("+PONG\r\n");
    }

    [Fact]
    public async Task SwallowsMessages_WhatIsPublishedIsLost_WhileTheConnectionAnswers()
    {
        using var client = await ConnectAsync();
        const string subscribed = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
        (await AskAsync(client, "SUBSCRIBE news\r\n", subscribed.Length)).Should().Be(subscribed);
        await using var redis = await _redis.ConnectAsync();
        var publisher = redis.GetSubscriber();
        var news = StackExchange.Redis.RedisChannel.Literal("news");

        _proxy.SwallowsMessages = true;
        (await publisher.PublishAsync(news, "lost")).Should().Be(1, "the subscription is in force");
        const string pong = "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
        (await AskAsync(client, "PING\r\n", pong.Length)).Should().Be(pong);
        _proxy.Resume();
        await publisher.PublishAsync(news, "kept");

        (await AskAsync(client, "", "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$4\r\nkept\r\n".Length)).Should().EndWith("kept\r\n");
    }

    [Fact]
    public void RespFilter_AnyCutOfTheBytes_PassesTheSameReplies()
    {
        const string before = "+OK\r\n*2\r\n$1\r\na\r\n*1\r\n:7\r\n%1\r\n+k\r\n$-1\r\n";
        const string message = ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\n\r\n\r\n\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n\r\n";
        const string after = "$7\r\nmessage\r\n*-1\r\n";
        var all = Encoding.ASCII.GetBytes(before + message + after);

        for (var cut = 0; cut <= all.Length; cut++)
        {
            var filter = new RespFilter();
            byte[] passed = [.. filter.Pass(
                all.AsSpan(0, cut), withoutMessages: true), .. filter.Pass(all.AsSpan(cut), withoutMessages: true)];
            Encoding.ASCII.GetString(passed).Should().Be(before + after, "it was cut at {0}", cut);
        }
    }

    [Fact]
    public async Task Dispose_WithOpenAndStalledConnections_EndsAtOnce()
    {
        using var client = await ConnectAsync();
        await AskAsync(client, "PING\r\n", 7);
        _proxy.Stall();
        await client.SendAsync("PING\r\n"u8.ToArray());

        await _proxy.DisposeAsync().AsTask().WaitAsync(Patience);

        _proxy.Open.Should().Be(0);
        _proxy = new TcpProxy(_redis.Port);
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, _proxy.Port).WaitAsync(Patience);
        return socket;
    }

    private static async Task<string> AskAsync(Socket socket, string command, int answerBytes)
    {
        using var patience = new CancellationTokenSource(Patience);
        if (command.Length > 0)
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(command), patience.Token);
        }

        var answer = new byte[answerBytes];
        for (var got = 0; got < answerBytes;)
        {
            var count = await socket.ReceiveAsync(answer.AsMemory(got), patience.Token);
            count.Should().BePositive("the connection is open");
            got += count;
        }

        return Encoding.ASCII.GetString(answer);
    }
}
