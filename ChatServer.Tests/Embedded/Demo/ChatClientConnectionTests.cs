using ChatServer.Tests.Embedded.Demo.Support;

namespace ChatServer.Tests.Embedded.Demo;

/// <summary>How the browser client connects, notices a dead connection, waits, and knows when to stop.</summary>
[Collection(ChromiumTests.Name)]
public sealed class ChatClientConnectionTests(ChromiumFixture chromium) : ChatClientTest(chromium)
{
    [Fact]
    public async Task Connect_RoomsWithPositions_AreInTheFirstFrame()
    {
        await StartClientAsync("rooms: [12, { room_id: 15, since: 480, epoch: 'k3' }]");

        var auth = await (await Chat.AcceptAsync()).ReceiveAsync();

        auth.ToString().Should().Be(
            """{"type":"auth","token":"T","rooms":[{"room_id":12},{"room_id":15,"since":480,"epoch":"k3"}]}""");
    }

    [Fact]
    public async Task Connect_MoreRoomsThanTheFirstFrameHolds_JoinsTheRestAfterwards()
    {
        await StartClientAsync("rooms: Array.from({ length: 120 }, (_, i) => ({ room_id: i + 1, since: 1000000 + i, epoch: 'abcdefgh' }))");
        var server = await Chat.AcceptAsync();

        var auth = await server.WelcomeAsync(1_000_000, recovered: true);

        auth.GetRawText().Length.Should().BeLessThanOrEqualTo(4096);
        var asked = auth.GetProperty("rooms").GetArrayLength();
        asked.Should().BeInRange(60, 119);
        for (var room = asked + 1; room <= 120; room++)
        {
            var join = await server.ReceiveAsync();
            join.GetProperty("type").GetString().Should().Be("join");
            join.GetProperty("room_id").GetInt64().Should().Be(room);
            join.GetProperty("since").GetInt64().Should().Be(1_000_000 + room - 1);
        }
    }

    [Theory]
    [InlineData(4500, "invalid_token")]
    [InlineData(4503, "session_ended")]
    [InlineData(4999, "later")]
    public async Task Close_FinalCode_EndsWithoutAReconnect(int code, string reason)
    {
        await StartClientAsync("rooms: [12], backoffBase: 50, backoffCap: 50");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();

        await server.CloseAsync(code, reason);

        await Page.WaitForFunctionAsync("log.ended.length === 1");
        (await LogAsync("ended")).Should().Equal($"{code} {reason}");
        (await Chat.IsCalledWithinAsync(TimeSpan.FromSeconds(1))).Should().BeFalse();
        await EvaluateAsync("client.connect()");
        (await Chat.IsCalledWithinAsync(TimeSpan.FromSeconds(5))).Should().BeTrue("connect() starts again");
    }

    [Theory]
    [InlineData(1001)]
    [InlineData(1011)]
    [InlineData(1012)]
    [InlineData(4001)]
    [InlineData(4004)]
    public async Task Close_PassingCode_Reconnects(int code)
    {
        await StartClientAsync("rooms: [12], backoffBase: 50, backoffCap: 50");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();

        await server.CloseAsync(code, "passing");

        await (await Chat.AcceptAsync()).WelcomeAsync();
        await Page.WaitForFunctionAsync("client.status.state === 'connected'");
    }

    [Fact]
    public async Task Reconnect_ManyFailures_WaitsAnywhereUpToADoublingLimit()
    {
        // Random gives its ends in turn: nothing, and (nearly) the whole range of the attempt.
        await StartClientAsync("rooms: [12], backoffBase: 20, backoffCap: 300, random: () => (calls++ % 2 ? 0.999 : 0)");
        for (var i = 0; i < 10; i++)
        {
            await (await Chat.AcceptAsync()).CloseAsync(1012, "restart");
        }

        await Page.WaitForFunctionAsync("log.wait.length === 10");
        var waits = await EvaluateAsync<double[]>("log.wait");
        waits.Where((_, i) => i % 2 == 0).Should().OnlyContain(wait => wait < 5);
        double[] limits = [40, 160, 300, 300, 300];
        waits.Where((_, i) => i % 2 == 1).Zip(limits).Should().OnlyContain(pair => Math.Abs(pair.First - pair.Second) < 5);
    }

    [Fact]
    public async Task Online_WhileWaiting_ConnectsAtOnce()
    {
        await StartClientAsync("rooms: [12], backoffBase: 60000, backoffCap: 60000, random: () => 1");
        (await Chat.AcceptAsync()).Abort();
        await Page.WaitForFunctionAsync("client.status.state === 'waiting'");

        await EvaluateAsync("dispatchEvent(new Event('online'))");

        await (await Chat.AcceptAsync()).WelcomeAsync();
    }

    [Fact]
    public async Task Watchdog_NoPong_ReconnectsWithoutWaitingForTheSocketToClose()
    {
        await StartClientAsync("rooms: [12], answerTimeout: 2500");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync(pingInterval: 1);

        (await server.ReceiveAsync()).ToString().Should().Be("""{"type":"ping"}""");

        await (await Chat.AcceptAsync()).WelcomeAsync();
        await Page.WaitForFunctionAsync("log.status.filter((s) => s === 'connected').length === 2");
        (await LogAsync("status")).Should().ContainInOrder("connected", "waiting 4003 no_pong", "connecting", "connected");
    }

    [Fact]
    public async Task Watchdog_AnyTraffic_KeepsTheConnection()
    {
        await StartClientAsync("rooms: [12], answerTimeout: 2500");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync(pingInterval: 1);
        for (var i = 1; i <= 3; i++)
        {
            (await server.ReceiveAsync()).ToString().Should().Be("""{"type":"ping"}""");
            await (i % 2 == 0 ? server.ChatAsync(i / 2) : server.SendAsync("""{"type":"pong"}"""));
        }

        (await LogAsync("status")).Should().Equal("connecting", "connected");
    }

    [Fact]
    public async Task GetToken_FailingOnce_IsAskedAgain()
    {
        await StartClientAsync(
            "rooms: [12], token: undefined, getToken: async () => { if (calls++ === 0) throw new Error('down'); return 'T2'; }");

        (await (await Chat.AcceptAsync()).ReceiveAsync()).GetProperty("token").GetString().Should().Be("T2");
    }
}
