using System.Net;
using System.Net.WebSockets;
using System.Text;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ChatServer.Tests.EndToEnd;

public sealed class AcceptTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    [Theory]
    [InlineData("http://localhost", 101)]
    [InlineData("https://LOCALHOST:9443", 101)]
    [InlineData("http://localhost.evil.example", 403)]
    [InlineData("http://evil.example", 403)]
    [InlineData("http://localhost@evil.example", 403)]
    [InlineData("null", 403)]
    [InlineData("", 403)]
    [InlineData(null, 403)]
    public async Task Pages_of_hosts_that_are_not_allowed_are_refused_before_the_upgrade(string? origin, int status)
    {
        var answer = await RawPeer.AskOnceAsync(chat.Node.Port, RawPeer.Upgrade(origin));

        answer.Should().StartWith($"HTTP/1.1 {status} ");
        answer.Contains("Sec-WebSocket-Accept", StringComparison.OrdinalIgnoreCase).Should().Be(status == 101);
    }

    [Fact]
    public async Task An_allowed_host_may_name_its_port_or_all_subdomains()
    {
        await using var node = await chat.StartNodeAsync(("ALLOWED_HOSTS", "demo-3.localhost:8001, .example.com"));
        foreach (var (origin, status) in new[]
        {
            ("http://demo-3.localhost:8001", 101), ("http://demo-3.localhost:8002", 403), ("http://demo-3.localhost", 403),
            ("https://example.com", 101), ("https://a.b.EXAMPLE.com:444", 101), ("https://badexample.com", 403),
        })
        {
            (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade(origin))).Should()
                .StartWith($"HTTP/1.1 {status} ", "the origin is {0}", origin);
        }
    }

    [Fact]
    public async Task A_program_without_origin_is_let_in_if_that_is_allowed_and_a_foreign_page_still_is_not()
    {
        await using var node = await chat.StartNodeAsync(("ALLOW_MISSING_ORIGIN", "true"));

        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade(origin: null))).Should().StartWith("HTTP/1.1 101 ");
        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade("http://evil.example"))).Should().StartWith("HTTP/1.1 403 ");
    }

    [Fact]
    public async Task An_ordinary_upgrade_is_served_below_HTTP_and_an_odd_one_is_served_all_the_same()
    {
        (await RawPeer.AskOnceAsync(chat.Node.Port, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 101 ").And.NotContain("Date:");

        // In two pieces HTTP has to put it together.
        await using var slow = await RawPeer.ConnectAsync(chat.Node.Port);
        await slow.SendAsync(Encoding.ASCII.GetBytes(RawPeer.Upgrade()[..40]));
        await Task.Delay(200);
        (await slow.AskAsync(RawPeer.Upgrade()[40..])).Should().StartWith("HTTP/1.1 101 ").And.Contain("Date:");
        await slow.SendTextAsync("no token");
        (await slow.CloseAsync()).Code.Should().Be(4500);
    }

    [Fact]
    public async Task A_connection_that_is_opened_ahead_of_need_as_browsers_do_it_may_ask_for_its_upgrade_later()
    {
        await using var early = await RawPeer.ConnectAsync(chat.Node.Port);
        await Task.Delay(TimeSpan.FromSeconds(6));

        (await early.AskAsync(RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 101 ");
        await early.SendTextAsync("no token");
        (await early.CloseAsync()).Code.Should().Be(4500);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task A_request_that_is_no_upgrade_is_told_to_upgrade(string method)
    {
        using var client = new HttpClient { Timeout = ChatPeer.Patience };
        using var answer = await client.SendAsync(new HttpRequestMessage(new HttpMethod(method), new Uri(chat.Node.Http, "ws")));

        answer.StatusCode.Should().Be(HttpStatusCode.UpgradeRequired);
        answer.Headers.Upgrade.Should().ContainSingle(upgrade => upgrade.Name == "websocket");
    }

    [Theory]
    [InlineData("c2hvcnQ=")]
    [InlineData("not base64 at all!!!!!!!")]
    [InlineData("")]
    [InlineData(null)]
    public async Task A_wrong_key_is_a_bad_request(string? key) =>
        (await RawPeer.AskOnceAsync(chat.Node.Port, RawPeer.Upgrade(key: key))).Should().StartWith("HTTP/1.1 400 ");

    [Theory]
    [InlineData("12")]
    [InlineData("14")]
    [InlineData(null)]
    public async Task Another_version_is_told_the_one_that_is_spoken(string? version)
    {
        var answer = await RawPeer.AskOnceAsync(chat.Node.Port, RawPeer.Upgrade(version: version));

        answer.Should().StartWith("HTTP/1.1 426 ").And.MatchRegex("(?i)\r\nSec-WebSocket-Version: 13\r\n");
    }

    [Fact]
    public async Task The_answer_to_the_key_is_that_of_the_RFC() =>
        (await RawPeer.AskOnceAsync(chat.Node.Port, RawPeer.Upgrade())).Should()
            .MatchRegex("(?i)\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\\+xOo=\r\n");

    [Fact]
    public async Task A_full_node_answers_503_and_has_room_again_when_somebody_leaves()
    {
        await using var node = await chat.StartNodeAsync(("MAX_CONNECTIONS", "2"));
        await using var stays = await ChatPeer.OpenAsync(node.Url);
        var leaves = await ChatPeer.OpenAsync(node.Url);

        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 503 ");
        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade("http://evil.example"))).Should().StartWith("HTTP/1.1 403 ");
        await leaves.DisposeAsync();

        await using var comes = await ComeInAsync(node);
        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade())).Should()
            .StartWith("HTTP/1.1 503 ", "refusals and departures are counted right");
    }

    [Fact]
    public async Task A_refused_upgrade_takes_no_place()
    {
        await using var node = await chat.StartNodeAsync(("MAX_CONNECTIONS", "1"));
        for (var attempt = 0; attempt < 3; attempt++)
        {
            await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade(key: ""));
            await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade(version: "12"));
        }

        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 101 ");
    }

    [Fact]
    public async Task While_it_stops_it_is_not_ready_and_takes_nobody_in()
    {
        await using var node = await chat.StartNodeAsync();
        using var asked = new ManualResetEventSlim();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // The last one to register is called first: the listener is still open while this delays the stop.
        using var registration = node.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() =>
        {
            stopping.SetResult();
            asked.Wait(ChatPeer.Patience);
        });
        using var client = new HttpClient { BaseAddress = node.Http, Timeout = ChatPeer.Patience };
        (await client.GetAsync("readyz")).StatusCode.Should().Be(HttpStatusCode.OK);
        var stop = Task.Run(node.StopAsync);
        try
        {
            await stopping.Task.WaitAsync(ChatPeer.Patience);
            (await client.GetAsync("readyz")).StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
            (await client.GetAsync("healthz")).StatusCode.Should().Be(HttpStatusCode.OK);
            (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 503 ");
        }
        finally
        {
            asked.Set();
            await stop;
        }
    }

    /// <summary>The place is free a moment after the close frame.</summary>
    private static async Task<ChatPeer> ComeInAsync(TestNode node)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await ChatPeer.OpenAsync(node.Url);
            }
            catch (WebSocketException) when (attempt < 100)
            {
                await Task.Delay(20);
            }
        }
    }
}
