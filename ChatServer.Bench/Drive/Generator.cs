using System.Diagnostics;
using System.Text;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Drive;

/// <summary>
/// Runs one <see cref="Plan"/>: logs everybody in, sends, and keeps the books. One thread does everything. It samples the CPU time of the
/// servers itself, at the edges of the measured window.
/// </summary>
internal sealed class Generator : IListener, IDisposable
{
    private const int LoginsAtOnce = 64;
    private const long Second = 1_000_000_000;
    private const long Tick = 20_000_000;

    private static readonly TimeSpan LoginLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(10);

    private readonly Plan _plan;
    private readonly Action<string> _announce;
    private readonly ITransport _transport;
    private readonly Conversation _conversation;
    private readonly Connection[] _connections;
    private readonly Dialect _dialect;
    private readonly Ledger _ledger;
    private readonly Senders _senders;
    private readonly Histogram _latency = new();
    private readonly Histogram _savedAfter = new();
    private readonly HashSet<long> _saved = [];
    private long _windowFrom = long.MaxValue;
    private long _windowTo = long.MaxValue;
    private long _inWindow;
    private long _acks;
    private long _failures;
    private string? _firstFailure;
    private int _ready;

    /// <param name="announce">Told "window" and "end" when the measured time begins and ends.</param>
    public Generator(Plan plan, Action<string> announce)
    {
        (_plan, _announce) = (plan, announce);
        _dialect = Dialect.For(plan.Dialect);
        _transport = plan.Tls ? new TlsTransport(plan.Connections) : new EpollTransport(plan.Connections);
        _conversation = new(_dialect, _transport, this, plan.Deflate);
        _connections = [.. Enumerable.Range(0, plan.Connections).Select(index => new Connection(index, index % plan.Rooms))];
        _ledger = new(plan.Connections, plan.Rooms, _dialect.Echoes);
        _senders = new(plan, _dialect, _transport, _connections);
    }

    private static long Now => Stopwatch.GetTimestamp() * (Second / Stopwatch.Frequency);

    public DriveResult Run()
    {
        var rssBefore = ProcessFigures.ResidentBytes(_plan.ServerPids);
        var started = Now;
        LogIn();
        var loginSeconds = (Now - started) / (double)Second;
        TurnUntil(Now + (Second / 2));

        var window = _plan.Kind == WorkKind.Idle ? Hold() : Work();
        return window with
        {
            LoginSeconds = loginSeconds,
            RssBefore = rssBefore,
            RssAfter = ProcessFigures.ResidentBytes(_plan.ServerPids),
            Sent = _senders.Sent,
            Expected = _senders.Sent * _ledger.Receivers,
            Lost = _ledger.CountLost(sender => _connections[sender].LastSent),
            Doubled = _ledger.Doubled,
            Disordered = _ledger.Disordered,
            Misrouted = _ledger.Misrouted,
            Unacknowledged = _dialect.HasAcks ? Math.Abs(_senders.Sent - _acks) : 0,
            Unsaved = _plan.HearsSaves ? _senders.Sent - _saved.Count : 0,
            Failures = _failures,
            FirstFailure = _firstFailure,
            Stalls = _senders.Stalls,
            LagP99 = _senders.Lag.Percentile(0.99),
            P50 = _latency.Percentile(0.5),
            P99 = _latency.Percentile(0.99),
            P999 = _latency.Percentile(0.999),
            SavedP50 = _savedAfter.Percentile(0.5),
            SavedP99 = _savedAfter.Percentile(0.99),
        };
    }

    public void Ready(Connection connection) => _ready++;

    public void Failed(Connection connection, string why, bool hasEnded)
    {
        _failures++;
        _firstFailure ??= $"connection {connection.Index}: {why}";
    }

    public void Text(Connection connection, ReadOnlySpan<byte> text)
    {
        var now = Now;
        var left = text;
        var hasMarker = false;
        while (Marker.TryTake(ref left, out var marker))
        {
            hasMarker = true;
            Take(connection, marker, now);
        }

        if (hasMarker)
        {
            return;
        }

        switch (_dialect.Read(text))
        {
            case Reply.Ack:
                _acks++;
                break;

            case Reply.Saved when _plan.HearsSaves:
                TakeSaved(Senders.StampOf(text), now);
                break;

            case Reply.Error:
                Failed(connection, Encoding.UTF8.GetString(text), hasEnded: false);
                break;
        }
    }

    public void ReadDone() => _senders.Flush();

    public void Dispose() => _transport.Dispose();

    private void Take(Connection connection, in Marker marker, long now)
    {
        if (_ledger.Take(connection.Index, marker) is not (Arrival.InOrder or Arrival.Late))
        {
            return;
        }

        if (now >= _windowFrom && now < _windowTo)
        {
            _inWindow++;
        }

        // How soon a sender has its own message tells nothing about the others.
        if (marker.Stamp >= _windowFrom && marker.Stamp < _windowTo && marker.Sender != connection.Index)
        {
            _latency.Add(now - marker.Stamp);
        }

        _senders.Delivered(connection, marker, now);
    }

    private void TakeSaved(long stamp, long now)
    {
        // In an open loop no two messages are due in one nanosecond: the time is the message.
        if (_saved.Add(stamp) && stamp >= _windowFrom && stamp < _windowTo)
        {
            _savedAfter.Add(now - stamp);
        }
    }

    private void LogIn()
    {
        var limit = Now + ((long)LoginLimit.TotalSeconds * Second);
        for (var opened = 0; _ready < _connections.Length;)
        {
            while (opened < _connections.Length && opened - _ready < LoginsAtOnce)
            {
                _conversation.Open(_connections[opened], PortOf(_connections[opened]));
                opened++;
            }

            _transport.Turn(Tick);
            if (_failures > 0 || Now > limit)
            {
                throw new InvalidOperationException($"{_ready} of {_connections.Length} connections got into their rooms. {_firstFailure}");
            }
        }
    }

    private int PortOf(Connection connection) => _plan.Ports[connection.Index / _plan.Rooms % _plan.Ports.Length];

    private DriveResult Hold()
    {
        TurnUntil(Now + (long)(_plan.Seconds * Second));
        return new() { WindowSeconds = _plan.Seconds };
    }

    private DriveResult Work()
    {
        var begin = Now;
        _senders.Start(begin);
        SendUntil(begin + (long)(_plan.WarmUpSeconds * Second));

        _announce("window");
        var before = Cpu();
        var sentBefore = _senders.Sent;
        _windowFrom = Now;
        SendUntil(_windowFrom + (long)(_plan.Seconds * Second));
        _windowTo = Now;
        var after = Cpu();
        var sent = _senders.Sent - sentBefore;
        _announce("end");
        _senders.Stop();
        Drain();
        return new()
        {
            WindowSeconds = (_windowTo - _windowFrom) / (double)Second,
            DeliveriesInWindow = _inWindow,
            SentInWindow = sent,
            ServerCpuSeconds = after.Server - before.Server,
            RedisCpuSeconds = after.Redis - before.Redis,
            GeneratorCpuSeconds = after.Own - before.Own,
        };
    }

    /// <summary>Waits for what is under way; only what never comes is lost.</summary>
    private void Drain()
    {
        var expected = _senders.Sent * _ledger.Receivers;
        var limit = Now + ((long)DrainLimit.TotalSeconds * Second);
        while ((_ledger.Delivered < expected || (_dialect.HasAcks && _acks < _senders.Sent)
            || (_plan.HearsSaves && _saved.Count < _senders.Sent)) && Now < limit)
        {
            _transport.Turn(Tick);
        }

        // What comes twice may come late.
        TurnUntil(Now + (Second / 4));
    }

    private (double Server, double Redis, double Own) Cpu() =>
        (ProcessFigures.CpuSeconds(
            _plan.ServerPids), ProcessFigures.CpuSeconds(_plan.RedisPids), Environment.CpuUsage.TotalTime.TotalSeconds);

    private void SendUntil(long end)
    {
        for (var now = Now; now < end; now = Now)
        {
            var next = Math.Min(_senders.SendDue(now), end);
            _transport.Turn(Math.Clamp(next - Now, 0, Tick));
        }
    }

    private void TurnUntil(long end)
    {
        for (var now = Now; now < end; now = Now)
        {
            _transport.Turn(Math.Min(end - now, Tick));
        }
    }
}
