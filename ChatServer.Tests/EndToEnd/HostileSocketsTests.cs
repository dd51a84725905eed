using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

/// <summary>Somebody opens sockets, and says nothing on them. Those who chat notice nothing.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class HostileSocketsTests(ChatFixture chat) : IClassFixture<ChatFixture>, IDisposable
{
    private const long Room = 960;

    private readonly List<Socket> _sockets = [];

    [Fact]
    public async Task Sockets_of_one_address_that_do_not_authenticate_take_no_place_from_users()
    {
        await using var node = await chat.StartNodeAsync(
            ("MAX_CONNECTIONS", "60"), ("MAX_UNAUTHENTICATED_PER_ADDRESS", "5"), ("TRUSTED_PROXIES", "127.0.0.1"));
        await using var ada = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(1), Room);
        await using var ben = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(2), Room);
        var silent = new List<RawPeer>();
        for (var socket = 0; socket < 5; socket++)
        {
            silent.Add(await RawPeer.ConnectAsync(node.Port));
            (await silent[^1].AskAsync(From("198.51.100.1"))).Should().StartWith("HTTP/1.1 101 ");
        }

        (await RawPeer.AskOnceAsync(node.Port, From("198.51.100.1"))).Should().StartWith("HTTP/1.1 503 ");
        (await RawPeer.AskOnceAsync(node.Port, From("198.51.100.2"))).Should().StartWith("HTTP/1.1 101 ", "others may");
        (await RawPeer.AskOnceAsync(node.Port, From("198.51.100.1, 198.51.100.3"))).Should()
            .StartWith("HTTP/1.1 101 ", "what the client says itself does not count");
        node.Log.All.Should().Contain(line => line.Contains("[1303]") && line.Contains("198.51.100.1"));
        await ada.SayAsync(Room, "a1");
        await ben.UntilMessageAsync("a1");

        foreach (var socket in silent)
        {
            await socket.DisposeAsync();
        }

        await Eventually.TrueAsync(
            () => RawPeer.AskOnceAsync(node.Port, From("198.51.100.1")).GetAwaiter().GetResult()
                .StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal),
            ChatPeer.Patience, () => "the places were not given back");
    }

    /// <summary>Whoever has authenticated is counted elsewhere: an office behind one address is none of that.</summary>
    [Fact]
    public async Task Users_of_one_address_are_as_many_as_like()
    {
        await using var node = await chat.StartNodeAsync(("MAX_UNAUTHENTICATED_PER_ADDRESS", "1"));
        var peers = new List<ChatPeer>();
        for (var user = 10; user < 16; user++)
        {
            peers.Add(await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(user), Room));
        }

        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }
    }

    /// <summary>With as many files as the process may have open, nobody was served, and at times it aborted.</summary>
    [Fact]
    public async Task More_sockets_than_the_process_may_have_are_closed_and_those_who_chat_go_on()
    {
        var port = FreePort.Next();
        await using var service = BoundedProcess.Start(
            ["sh", "-c", $"ulimit -n 450; exec dotnet '{Path.Combine(AppContext.BaseDirectory, "ChatServer.dll")}'"], Path.GetTempPath(),
            ("ASPNETCORE_ENVIRONMENT", null), ("DOTNET_ENVIRONMENT", null), ("REDIS_HOST", RedisServer.Host),
            ("REDIS_PORT", $"{chat.Redis.Port}"), ("QUANTUM_SERVER_URL", chat.Quantum.Url.AbsoluteUri), ("ALLOWED_HOSTS", "localhost"),
            ("CHAT_LISTEN_ADDRESS", "127.0.0.1"), ("WS_PORT", $"{port}"), ("RATE_LIMIT", "0"));
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = ChatPeer.Patience };
        using var alive = await Eventually.AnswerAsync(() => http.GetAsync("/healthz"), () => service.HasExited, () => service.Output);
        var url = new Uri($"ws://127.0.0.1:{port}/ws");
        await using var ada = await ChatPeer.LoginAsync(url, await chat.Sessions.LoginAsync(21), Room);
        await using var ben = await ChatPeer.LoginAsync(url, await chat.Sessions.LoginAsync(22), Room);

        for (var socket = 0; socket < 600; socket++)
        {
            _sockets.Add(new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
            try
            {
                await _sockets[^1].ConnectAsync(IPAddress.Loopback, port).WaitAsync(ChatPeer.Patience);
            }
            catch (SocketException)
            {
                // It was closed before the system had said that it is open.
            }
        }

        for (var number = 1; number <= 20; number++)
        {
            await ada.SayAsync(Room, $"m{number}");
            await ben.UntilMessageAsync($"m{number}");
        }

        await ada.ToldAsync("info_chat");
        service.Output.Should().Contain("[1310]").And.Contain("MAX_CONNECTIONS: of 50000 connections");
        Dispose();
        await Eventually.TrueAsync(
            () => http.GetAsync("/healthz").GetAwaiter().GetResult().IsSuccessStatusCode, ChatPeer.Patience, () => service.Output);
        await using var cyd = await ChatPeer.LoginAsync(url, await chat.Sessions.LoginAsync(23), Room);
        service.HasExited.Should().BeFalse();
    }

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _sockets.Clear();
    }

    private static string From(string address) => RawPeer.Upgrade()[..^2] + $"X-Forwarded-For: {address}\r\n\r\n";
}
