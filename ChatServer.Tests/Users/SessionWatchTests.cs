using ChatServer.Connections;
using ChatServer.Redis;
using ChatServer.Sessions;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Sessions.Support;
using ChatServer.Tests.Support;
using ChatServer.Users;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Users;

public sealed class SessionWatchTests : IAsyncLifetime
{
    private const int Limit = 30_000;
    private const long Pulse = 1;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ServiceParts _parts;
    private readonly SessionWatch _watch;
    private Connection? _pulse;

    public SessionWatchTests()
    {
        _parts = new(_time);
        _watch = _parts.Get<SessionWatch>();
    }

    private SessionStoreOverMemory Store => _parts.Sessions;

    public async ValueTask InitializeAsync()
    {
        _pulse = (await RequestPeer.LoginAsync(_parts, Pulse)).Connection;
        await _watch.StartAsync(CancellationToken.None).WaitAsync(Patience);

        // Its timer may not be there yet.
        _pulse.SessionEndsAt = _time.GetUtcNow();
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(SessionOptions.CheckInterval);
                return _pulse.SessionEndsAt > _time.GetUtcNow();
            },
            Patience, () => "the watch does not look");
    }

    public async ValueTask DisposeAsync()
    {
        await _watch.StopAsync(CancellationToken.None).WaitAsync(Patience);
        await _parts.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Enter_SessionEndedJustBefore_IsPutOutAtOnce()
    {
        var peer = new RequestPeer(_parts);
        peer.Connection.Authenticated(new(7, TestSessions.Company, "rest", [], Key(7), null));
        _parts.Connections.TryAddToUser(peer.Connection).Should().BeTrue();

        (await _watch.EnterAsync(Key(7)).WaitAsync(Patience)).Should().BeTrue();

        (await peer.ClosedAsync()).Should().Be(4503);
    }

    [Fact(Timeout = Limit)]
    public async Task Enter_TheStoreTellsOfTheEnd_IsPutOutAtOnceAndNobodyElse()
    {
        var (peer, tab) = (await LoginAsync(7), await LoginAsync(7));
        var phone = await LoginAsync(7, session: "phone");

        Store.Sessions.Remove(Key(7));

        (await peer.ClosedAsync()).Should().Be(4503);
        (await tab.ClosedAsync()).Should().Be(4503);
        phone.Connection.IsClosing.Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task Leave_TheLastConnectionOfASession_EndsItsWatch()
    {
        var before = Store.Watches;
        var (peer, tab) = (await LoginAsync(7), await LoginAsync(7));
        Store.Watches.Should().Be(before + 1, "one session is watched once");

        await peer.Client.DisposeAsync();
        Store.Watches.Should().Be(before + 1);
        await tab.Client.DisposeAsync();

        Store.Watches.Should().Be(before);
    }

    [Fact(Timeout = Limit)]
    public async Task Enter_TheStoreTellsNothing_IsFalseAndWatchesNothing()
    {
        Store.TellsOfEnds = false;
        var before = Store.Watches;

        (await _watch.EnterAsync(Key(7)).WaitAsync(Patience)).Should().BeFalse();

        Store.Watches.Should().Be(before);
        Looked(7).Should().Be(0);
    }

    /// <summary>The connection's session was looked up before the order came, and the connection was there after it.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Enter_QuantumToldOfTheEndJustBefore_IsPutOutAtOnceIfItHasEnded(bool hasEnded)
    {
        Store.TellsOfEnds = false;
        RequestPeer.Store(_parts, 7);
        var peer = new RequestPeer(_parts);
        peer.Connection.Authenticated(new(7, TestSessions.Company, "rest", [], Key(7), null));
        _watch.End(Key(7));
        _parts.Connections.TryAddToUser(peer.Connection).Should().BeTrue();
        if (hasEnded)
        {
            Store.Sessions.Remove(Key(7));
        }

        (await _watch.EnterAsync(Key(7)).WaitAsync(Patience)).Should().BeFalse();

        peer.Connection.IsClosing.Should().Be(hasEnded);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_WhatNobodyExpects_IsLoggedAndTheWatchGoesOn()
    {
        Store.TellsOfEnds = false;
        var peer = await LoginAsync(7, seconds: 5);
        Store.Failure = new InvalidOperationException("what nobody expects");
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(SessionOptions.CheckInterval);
                return _parts.Log.All.Any(line => line.Contains("[1021]", StringComparison.Ordinal));
            },
            Patience, () => "it was not looked up, or not logged");

        Store.Failure = null;
        await PassAsync(1);

        (await peer.ClosedAsync()).Should().Be(4503);
    }

    /// <summary>Somebody has switched the announcements on, or a restart of Redis had switched them off for a moment.</summary>
    [Fact(Timeout = Limit)]
    public async Task Enter_TheStoreBeginsToTellLater_WatchesThoseWhoAreThereAndNobodyWhoHasLeft()
    {
        var before = Store.Watches;
        Store.IsSilent = true;
        var (stays, twin, gone) = (await LoginAsync(7), await LoginAsync(7), await LoginAsync(8));
        Store.Watches.Should().Be(before, "it would bring nothing");
        await gone.Client.DisposeAsync();

        Store.IsSilent = false;
        await PassUntilAsync(() => Store.Watches == before + 1);
        await twin.Client.DisposeAsync();
        Store.Watches.Should().Be(before + 1);
        Store.Sessions.Remove(Key(7));

        (await stays.ClosedAsync()).Should().Be(4503);
        await stays.Client.DisposeAsync();
        Store.Watches.Should().Be(before);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_TheKnownEndHasCome_IsPutOutLongBeforeTheRecheck()
    {
        var peer = await LoginAsync(7, seconds: 10);
        await PassAsync(9);
        peer.Connection.IsClosing.Should().BeFalse();

        await PassAsync(2);

        (await peer.ClosedAsync()).Should().Be(4503);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_TheSessionWasProlonged_StaysAndItsNewEndCounts()
    {
        var peer = await LoginAsync(7, seconds: 10);
        RequestPeer.Store(_parts, 7, seconds: 25);

        await PassAsync(15);
        peer.Connection.IsClosing.Should().BeFalse();
        await PassAsync(11);

        (await peer.ClosedAsync()).Should().Be(4503);
    }

    [Fact(Timeout = Limit)]
    public async Task Recheck_AnEndThatNobodyToldOf_IsNoticedAfterThirtySeconds()
    {
        Store.TellsOfEnds = false;
        var (gone, staying) = (await LoginAsync(7), await LoginAsync(8));
        await PassUntilAsync(() => Looked(8) == 1);
        Store.Sessions.Remove(Key(7));
        await PassAsync(28);
        gone.Connection.IsClosing.Should().BeFalse("all are looked up every 30 s only");
        Looked(8).Should().Be(1);

        await PassAsync(3);

        (await gone.ClosedAsync()).Should().Be(4503);
        staying.Connection.IsClosing.Should().BeFalse();
        Looked(8).Should().Be(2);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_RedisIsOutOfReach_NobodyIsPutOutUntilItIsBack()
    {
        Store.TellsOfEnds = false;
        var peer = await LoginAsync(7, seconds: 5);
        Store.Failure = new RedisUnavailableException("away");
        var asked = Looked(7);
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(SessionOptions.CheckInterval);
                return Looked(7) > asked + 2;
            },
            Patience, () => "it was not looked up again and again");
        peer.Connection.IsClosing.Should().BeFalse("silence is no end");
        _parts.Log.All.Should().Contain(line => line.Contains("cannot be looked up now", StringComparison.Ordinal));

        Store.Failure = null;
        await PassAsync(1);

        (await peer.ClosedAsync()).Should().Be(4503);
    }

    [Fact(Timeout = Limit)]
    public async Task Recheck_ManySessions_AreLookedUpAThousandAtATimeAndEachOnce()
    {
        Store.TellsOfEnds = false;
        var closing = await LoginAsync(7);
        closing.Connection.Close(ChatServer.Protocol.CloseReason.Restart);
        _ = new RequestPeer(_parts);
        for (var number = 0; number < 2 * 1250; number++)
        {
            var connection = new RequestPeer(_parts).Connection;
            connection.Authenticated(new(100 + (number / 2), 3, "rest", [], Key(100 + (number / 2)), null));
        }

        var before = Store.Looks.Count;
        await PassUntilAsync(() => Looked(100) > 0);
        await PassAsync(1);

        var looks = Store.Looks.Skip(before).Where(keys => keys.Count > 1).ToList();
        looks.Select(keys => keys.Count).Should().Equal(1000, 251);
        looks.SelectMany(keys => keys).Should().OnlyHaveUniqueItems().And.NotContain(Key(7));
    }

    private static SessionKey Key(long user) => new("s", TestSessions.Company, user);

    private int Looked(long user) => Store.Looks.Count(keys => keys.Contains(Key(user)));

    private async Task<RequestPeer> LoginAsync(long user, string session = "s", int seconds = 3600)
    {
        var key = RequestPeer.Store(_parts, user, session: session, seconds: seconds);
        var peer = new RequestPeer(_parts);
        (await peer.AdmitAsync(TestSessions.Token(key.ToString()))).Should().BeTrue();
        return peer;
    }

    /// <summary>Lets time go by, second by second; each tick is noticed, for it looks the pulse's session up.</summary>
    private async Task PassAsync(int seconds)
    {
        for (var second = 0; second < seconds; second++)
        {
            _pulse!.SessionEndsAt = _time.GetUtcNow();
            _time.Advance(SessionOptions.CheckInterval);
            await Eventually.TrueAsync(
                () => _pulse.SessionEndsAt > _time.GetUtcNow(), Patience, () => "the tick was not noticed");
        }
    }

    private async Task PassUntilAsync(Func<bool> condition)
    {
        for (var second = 0; second < 40 && !condition(); second++)
        {
            await PassAsync(1);
        }

        condition().Should().BeTrue();
    }
}
