using ChatServer.Connections;
using ChatServer.Endpoints;
using ChatServer.Requests;
using ChatServer.Tests.Configuration.Support;
using ChatServer.Tests.Endpoints.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Endpoints;

public sealed class DirectUpgradeTests : IAsyncDisposable
{
    private const int Limit = 30_000;

    private readonly FakeTimeProvider _time = new();
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly ServiceParts _parts;
    private readonly PipedConnection _peer = new();
    private int _passedOn;

    public DirectUpgradeTests() => _parts = new(_time, ("MAX_CONNECTIONS", "1"));

    public async ValueTask DisposeAsync()
    {
        await _peer.DisposeAsync();
        await _parts.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_AnOrdinaryUpgrade_IsAnsweredHereAndItsPlaceFreeAgainAtTheEnd()
    {
        var serving = ServeAsync();
        await _peer.SendAsync(RawPeer.Upgrade());

        (await _peer.ReceiveAsync()).Should().StartWith("HTTP/1.1 101 ").And.Contain("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        (await ServedAsync()).Deflates.Should().BeFalse();
        TakePlace().Should().BeNull("the only one is taken");

        await _peer.HangUpAsync();
        await serving.WaitAsync(ChatPeer.Patience);

        _parts.Connections.Count.Should().Be(0);
        TakePlace().Should().NotBeNull();
        _passedOn.Should().Be(0);
    }

    [Theory(Timeout = Limit)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task Serve_ACompressionIsOffered_IsTakenWhereItIsSwitchedOn(bool isOn, bool isTaken)
    {
        var serving = ServeAsync(("CHAT_PERMESSAGE_DEFLATE", isOn ? "true" : "false"));
        await _peer.SendAsync(RawPeer.Upgrade()[..^2] + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");

        var answer = await _peer.ReceiveAsync();

        answer.Contains("Sec-WebSocket-Extensions: permessage-deflate", StringComparison.Ordinal).Should().Be(isTaken);
        (await ServedAsync()).Deflates.Should().Be(isTaken);
        await _peer.HangUpAsync();
        await serving.WaitAsync(ChatPeer.Patience);
    }

    [Theory(Timeout = Limit)]
    [InlineData("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET /ws HTTP/1.1\r\nHost: local")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001")]
    public async Task Serve_WhatIsNoUpgrade_GoesOnToHttpWithNothingReadOffIt(string request)
    {
        await _peer.SendAsync(request);

        await ServeAsync().WaitAsync(ChatPeer.Patience);

        AssertPassedOn(request);
    }

    [Theory(Timeout = Limit)]
    [InlineData("http://evil.example")]
    [InlineData(null)]
    public async Task Serve_AForeignPage_IsRefusedByHttpAndTakesNoPlace(string? origin)
    {
        await _peer.SendAsync(RawPeer.Upgrade(origin));

        await ServeAsync().WaitAsync(ChatPeer.Patience);

        AssertPassedOn(RawPeer.Upgrade(origin));
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_TheServiceStops_IsRefusedByHttp()
    {
        _lifetime.StopApplication();
        await _peer.SendAsync(RawPeer.Upgrade());

        await ServeAsync().WaitAsync(ChatPeer.Patience);

        AssertPassedOn(RawPeer.Upgrade());
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_TheNodeIsFull_IsRefusedByHttp()
    {
        var place = TakePlace()!;
        await _peer.SendAsync(RawPeer.Upgrade());

        await ServeAsync().WaitAsync(ChatPeer.Patience);

        place.GiveBack();
        AssertPassedOn(RawPeer.Upgrade());
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_NothingComesForFiveSeconds_HttpWaitsOn()
    {
        var serving = ServeAsync();
        _time.Advance(TimeSpan.FromSeconds(4.9));
        serving.IsCompleted.Should().BeFalse();

        _time.Advance(TimeSpan.FromSeconds(0.2));

        await serving.WaitAsync(ChatPeer.Patience);
        await _peer.SendAsync(RawPeer.Upgrade());
        AssertPassedOn(RawPeer.Upgrade());
    }

    /// <summary>Kestrel would log an error for what went through it; HTTP knows what to make of connections that break.</summary>
    [Fact(Timeout = Limit)]
    public async Task Serve_TheConnectionBreaksBeforeAWord_IsLeftToHttp()
    {
        var serving = ServeAsync();
        await _peer.BreakAsync(new ConnectionResetException("Connection reset by peer"));

        await serving.WaitAsync(ChatPeer.Patience);

        _passedOn.Should().Be(1);
    }

    private Task ServeAsync(params (string Name, string? Value)[] settings)
    {
        var options = EndpointOptions.Read(
            TestSettings.Reader([("ALLOWED_HOSTS", "localhost"), .. settings]), ListenMode.Ws, isEmbedded: false, isDevelopment: false);
        var upgrade = new DirectUpgrade(
            options, _parts.Get<ConnectionOptions>(), _parts.Connections, _parts.Get<ConnectionLoop>(), _lifetime, _time);
        return upgrade.ServeAsync(_peer.Context, _ =>
        {
            _passedOn++;
            return Task.CompletedTask;
        });
    }

    /// <summary>The answer may leave a moment before the connection is among the others.</summary>
    private async Task<Connection> ServedAsync()
    {
        await Eventually.TrueAsync(() => _parts.Connections.Count == 1, ChatPeer.Patience, () => "it is not served");
        return _parts.Connections.All.Single();
    }

    private void AssertPassedOn(string request)
    {
        _passedOn.Should().Be(1);
        _peer.Unread().Should().Be(request);
        _parts.Connections.Count.Should().Be(0);
        TakePlace().Should().NotBeNull("it holds no place");
    }

    private Place? TakePlace() => _parts.Connections.Places.TryTake(null, out _);
}
