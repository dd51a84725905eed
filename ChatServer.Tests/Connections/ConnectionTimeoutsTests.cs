using ChatServer.Connections;
using ChatServer.Sessions;
using ChatServer.Tests.Connections.Support;
using ChatServer.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Connections;

public sealed class ConnectionTimeoutsTests : IAsyncLifetime
{
    private const int Limit = 20_000;

    private readonly FakeTimeProvider _time = new();
    private readonly ConnectionRegistry _connections;
    private readonly ConnectionTimeouts _timeouts;
    private readonly RecordingOutbound _probe = new();
    private readonly Connection _probed;

    public ConnectionTimeoutsTests()
    {
        var options = new ConnectionOptions(10, 10, 1 << 20, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10));
        _connections = new ConnectionRegistry(options);
        _timeouts = new ConnectionTimeouts(_connections, options, _time, NullLogger<ConnectionTimeouts>.Instance);
        _probed = New(_probe, authenticated: true);
    }

    public async ValueTask InitializeAsync() => await _timeouts.StartAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _timeouts.StopAsync(CancellationToken.None);
        _timeouts.Dispose();
    }

    [Fact(Timeout = Limit)]
    public async Task Silence_IsPingedOnceThenClosedWith4003()
    {
        await PassAsync(24);
        _probe.Frames.Should().BeEmpty();
        await PassAsync(2);
        _probe.Frames.Select(frame => frame.Opcode).Should().Equal(Opcode.Ping);
        await PassAsync(8);
        _probed.IsClosing.Should().BeFalse();

        await PassAsync(3);

        _probe.Frames.Count(frame => frame.Opcode == Opcode.Ping).Should().Be(1);
        _probe.CloseCodes.Should().Equal(4003);
    }

    [Fact(Timeout = Limit)]
    public async Task Heard_AfterThePing_BeginsAnew()
    {
        for (var round = 1; round <= 3; round++)
        {
            await PassAsync(26);
            _probe.Frames.Count(frame => frame.Opcode == Opcode.Ping).Should().Be(round);
            await PassAsync(5);
            _probed.Heard();
        }

        _probed.IsClosing.Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task Heard_Regularly_IsNeverPinged()
    {
        for (var round = 0; round < 10; round++)
        {
            await PassAsync(20);
            _probed.Heard();
        }

        _probe.Frames.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task NoAuthentication_InTime_IsClosedWith4502HoweverMuchItTalks()
    {
        var outbound = new RecordingOutbound();
        var connection = New(outbound, authenticated: false);
        await PassAsync(9);
        connection.Heard();
        connection.IsClosing.Should().BeFalse();

        await PassAsync(2);

        outbound.CloseCodes.Should().Equal(4502);
    }

    private Connection New(RecordingOutbound outbound, bool authenticated)
    {
        var connection = new Connection(outbound, () => { }, _time);
        if (authenticated)
        {
            connection.Authenticated(new Caller(7, 3, "rest", null, new SessionKey("s", 3, 7), null));
        }

        _connections.Add(connection);
        return connection;
    }

    /// <summary>
    /// Lets time go by at the timer's own pace; the watcher works on the thread pool, so each tick is given time to be noticed.
    /// </summary>
    private async Task PassAsync(int seconds)
    {
        for (var tick = 0; tick < 2 * seconds; tick++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Delay(2);
        }

        await Task.Delay(50);
    }
}
