using System.Text.RegularExpressions;
using ChatServer.Redis;
using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// Three nodes as processes, a real Redis that keeps every write, a Quantum, proxies between them, and twelve clients in the rooms of two
/// companies that have the same numbers. Half of the clients come over TLS. The nodes have little room for one client and one place for
/// saves, so that whoever takes too much of either is felt.
/// </summary>
internal sealed partial class FaultSite : IAsyncDisposable
{
    private const int Nodes = 3;
    private const int ClientsOfCompany = 6;

    public static readonly IReadOnlyList<long> Companies = [3, 4];

    private static readonly long[] Rooms = [12, 15];
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CalmWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CalmFor = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SavedSoon = TimeSpan.FromSeconds(1);

    private readonly RedisKeys _keys = new(RedisOptions.DefaultPartitions);
    private readonly DevCertificate _certificate = new();
    private readonly List<Undisturbed> _undisturbed = [];
    private ConnectionMultiplexer? _connection;
    private FaultSessions? _sessions;
    private string? _program;
    private (string Name, string? Value)[] _settings = [];

    public required RedisServer Redis { get; init; }

    public required QuantumServer Quantum { get; init; }

    public required TcpProxy QuantumProxy { get; init; }

    /// <summary>One before Redis for each node.</summary>
    public List<TcpProxy> RedisProxies { get; } = [];

    public List<NodeProcess> NodeProcesses { get; } = [];

    public List<FaultClient> Clients { get; } = [];

    public FaultSessions Sessions => _sessions!;

    /// <summary>Who was no member of a room, and when.</summary>
    public List<Outsider> Outsiders { get; } = [];

    /// <summary>Redis itself, past all proxies.</summary>
    public IDatabase Database => _connection!.GetDatabase();

    /// <param name="program">The ChatServer.dll to run; null: the one of these tests.</param>
    /// <param name="interval">How long each client waits between two messages.</param>
    public static Task<FaultSite> StartAsync(
        int seed, TimeSpan interval, string? program = null, params (string Name, string? Value)[] settings) =>
        StartAsync(seed, interval, ["--appendonly", "yes", "--appendfsync", "always"], program, settings);

    /// <param name="redisArguments">What Redis is started with.</param>
    public static async Task<FaultSite> StartAsync(
        int seed, TimeSpan interval, string[] redisArguments, string? program, params (string Name, string? Value)[] settings)
    {
        var redis = await RedisServer.StartAsync(redisArguments);
        var quantum = await QuantumServer.StartAsync();
        var site = new FaultSite
        {
            Redis = redis, Quantum = quantum, QuantumProxy = new TcpProxy(quantum.Url.Port), _program = program,
            _settings = [("SEND_QUEUE_BYTES", "131072"), ("CHAT_SAVES_IN_PARALLEL", "1"), .. settings],
        };
        try
        {
            for (var node = 0; node < Nodes; node++)
            {
                site.RedisProxies.Add(new TcpProxy(redis.Port, isRedis: true));
                site.NodeProcesses.Add(
                    new NodeProcess(site.RedisProxies[node].Port, site.QuantumProxy.Port, program, site._settings)
                    {
                        Certificate = site._certificate,
                    });
            }

            await Task.WhenAll(site.NodeProcesses.Select(node => node.StartAsync()));
            await site.LetInAsync(seed, interval);
            return site;
        }
        catch
        {
            // Nobody else holds it.
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>From now on all clients write.</summary>
    public void Begin()
    {
        foreach (var client in Clients)
        {
            client.Sends = true;
        }
    }

    /// <summary>Nobody writes anything new any more.</summary>
    public void End()
    {
        foreach (var client in Clients)
        {
            client.Sends = false;
        }
    }

    /// <summary>Everything up, nothing sent any more: waits until all have everything. What never comes is the checker's to tell.</summary>
    /// <returns>What was still missing at the end of that time; null if nothing was.</returns>
    public async Task<string?> SettleAsync(TimeSpan within)
    {
        End();
        for (var start = TimeProvider.System.GetTimestamp(); ;)
        {
            if (await MissingAsync() is not { } missing)
            {
                return null;
            }

            if (TimeProvider.System.GetElapsedTime(start) > within)
            {
                return missing;
            }

            await Task.Delay(100);
        }
    }

    /// <summary>One more node, where another one listens.</summary>
    public NodeProcess NodeWithoutAPort() =>
        new(Redis.Port, QuantumProxy.Port, _program, _settings) { Port = NodeProcesses[0].Port };

    /// <summary>
    /// Waits until the faults before have no more effect: everybody is in the rooms, and Quantum soon has what is acked. Saves may lag
    /// behind for two lease times after the end of a node.
    /// </summary>
    public async Task CalmAsync()
    {
        var calmSince = TimeProvider.System.GetTimestamp();
        for (var began = calmSince; TimeProvider.System.GetElapsedTime(calmSince) < CalmFor;)
        {
            await Task.Delay(250);
            TimeProvider.System.GetElapsedTime(began).Should().BeLessThan(CalmWithin, "all is well again, but {0}", Lags() ?? "");
            calmSince = Lags() is null ? calmSince : TimeProvider.System.GetTimestamp();
        }
    }

    /// <summary>Does something that must not hinder the saves of some companies: each of them has the checker's eye meanwhile.</summary>
    public async Task WatchAsync(IEnumerable<long> companies, Func<Task> doAsync)
    {
        var from = TimeProvider.System.GetUtcNow();
        await doAsync();
        _undisturbed.AddRange(companies.Select(company => new Undisturbed(company, from, TimeProvider.System.GetUtcNow())));
    }

    /// <param name="isQuiet">Whether nothing has failed, so that nothing may have been saved again.</param>
    public Findings Check(bool isQuiet = false) => Checker.Check(
        [.. Clients.Select(client => client.History)],
        [
            .. Quantum.Saved.Select(row =>
                new SavedRow(row.Company, row.Room, row.User, row.Identifier, Checker.Abridge(row.Content)) { At = row.At }),
        ],
        new() { SaveCalls = isQuiet ? Quantum.Calls.Count : null, Unhindered = _undisturbed, Outsiders = Outsiders });

    /// <summary>What the nodes logged as errors, except that Redis is away; and nodes that ended by themselves.</summary>
    public IReadOnlyList<string> Complaints() =>
    [
        .. NodeProcesses.Where(node => !node.IsRunning).Select(node => $"The node at {node.Url.Authority} has ended by itself."),
        .. NodeProcesses.SelectMany(node => node.Log).Where(line => IsError().IsMatch(line)),
    ];

    public async ValueTask DisposeAsync()
    {
        foreach (var client in Clients)
        {
            await client.DisposeAsync();
        }

        foreach (var node in NodeProcesses)
        {
            await node.DisposeAsync();
        }

        foreach (var proxy in RedisProxies.Append(QuantumProxy))
        {
            await proxy.DisposeAsync();
        }

        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        await Quantum.DisposeAsync();
        await Redis.DisposeAsync();
        _certificate.Dispose();
    }

    private async Task LetInAsync(int seed, TimeSpan interval)
    {
        _connection = await Redis.ConnectAsync();
        _sessions = new(_connection, Quantum);
        var (plain, tls) = (NodeProcesses.Select(node => node.Url).ToList(), NodeProcesses.Select(node => node.TlsUrl).ToList());
        foreach (var company in Companies)
        {
            for (var number = 1; number <= ClientsOfCompany; number++)
            {
                var who = new Persona((10 * company) + number, company, Rooms);
                Clients.Add(new FaultClient(
                    who, await Sessions.BeginAsync(who), number % 2 == 0 ? tls : plain, interval, seed + (int)who.User, _certificate));
            }
        }

        await Eventually.TrueAsync(() => Clients.All(client => client.IsHome), StartWithin, () => string.Join('\n', Clients));
    }

    /// <returns>What is not as it is on a good day; null if all is.</returns>
    private string? Lags()
    {
        if (Clients.FirstOrDefault(client => !client.IsHome) is { } away)
        {
            return $"{away}";
        }

        var saved = Quantum.Saved.Select(row => (row.User, row.Room, row.Identifier)).ToHashSet();
        var due = TimeProvider.System.GetUtcNow() - SavedSoon;
        return Clients.SelectMany(client => client.Acks.Where(acked => acked.At < due).Select(acked => (client.Who.User, acked)))
            .Where(acked => !saved.Contains((acked.User, acked.acked.Room, acked.acked.Identifier)))
            .Select(acked => $"{acked.acked} was not saved").FirstOrDefault();
    }

    private async Task<string?> MissingAsync()
    {
        if (Clients.FirstOrDefault(client => !client.IsHome || client.Unacked > 0) is { } away)
        {
            return $"{away}";
        }

        try
        {
            var database = _connection!.GetDatabase();
            foreach (var client in Clients)
            {
                foreach (var room in client.Who.Rooms)
                {
                    var head = (long)await database.HashGetAsync(_keys.Room(new(client.Who.Company, room)), "seq");
                    if (client.Since(room) < head)
                    {
                        return $"{client} where room {room} is at {head}";
                    }
                }
            }

            for (var partition = 0; partition < _keys.Partitions; partition++)
            {
                var waiting = await database.SortedSetLengthAsync(RedisKeys.Unsaved(partition));
                var dead = await database.StreamLengthAsync(RedisKeys.DeadLetters(partition));
                if (waiting + dead > 0)
                {
                    return $"partition {partition} has {waiting} rooms with messages for Quantum and {dead} dead letters";
                }
            }

            return null;
        }
        catch (Exception exception) when (RedisFaults.IsUnavailable(exception))
        {
            return exception.Message;
        }
    }

    [GeneratedRegex(
        @"(fail|crit): (?!ChatServer\.Redis\.RedisConnection\[10[12]\])|^Unhandled exception", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex IsError();
}
