using System.Globalization;
using ChatServer.Bench.Peers;

namespace ChatServer.Bench.Load;

/// <summary>How to measure. See <see cref="Usage"/>.</summary>
internal sealed record LoadOptions
{
    public const string Usage = """
        Usage: dotnet run -c Release --project ChatServer.Bench -- load [options]
          --only NAME[,NAME…]     workloads whose names begin so (fanout, fanout-1x1000, wss, deflate, rate, idle)
          --peers NAME[,NAME…]    signalr, signalr-redis, node-ws, nchan, naive, or none (all that this machine can run)
          --runs N                runs of each, of which the median counts (3)
          --warmup S --seconds S  time under load before it counts (2), and that counts (5)
          --quick                 one short run of each
          --nodes N               ChatServer nodes (1)
          --quantum-at-once       the stand-in for Quantum answers at once instead of in 5 ms: what saving costs beside the traffic
          --save-batch N          messages that ChatServer may save in one call, SAVE_BATCH (1); above 1 with a token of its own
          --appendonly            Redis writes to disk (appendonly yes, appendfsync everysec)
          --no-docs               do not write docs/performance.md and .svg
        """;

    public IReadOnlyList<Workload> Workloads { get; init; } = Workload.All;

    public IReadOnlyList<Contestant> Peers { get; init; } = Contestant.Peers;

    public int Runs { get; init; } = 3;

    public double WarmUpSeconds { get; init; } = 2;

    public double Seconds { get; init; } = 5;

    public int Nodes { get; init; } = 1;

    /// <summary>What the stand-in for Quantum takes for a save.</summary>
    public int QuantumMilliseconds { get; init; } = QuantumStandIn.StandardDelay;

    /// <summary>ChatServer's <c>SAVE_BATCH</c>: how many messages one call saves at most.</summary>
    public int SaveBatch { get; init; } = 1;

    public bool AppendOnly { get; init; }

    public bool WritesDocs { get; init; } = true;

    /// <summary>
    /// What the naive relay is to do wrong, to see the generator refuse its figures: see <c>RelayFault</c>.
    /// </summary>
    public string? Fault { get; init; }

    /// <summary>One line that says all of it.</summary>
    public string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{Runs} × {Seconds} s after {WarmUpSeconds} s under load; ChatServer has {Nodes} node{(Nodes == 1 ? "" : "s")}; "
        + $"it saves {SavesInACall}; Quantum's stand-in {QuantumAnswers}; Redis writes {(AppendOnly ? "to disk" : "nothing to disk")}.");

    public string SavesInACall => SaveBatch == 1 ? "each message in a call of its own" : $"up to {SaveBatch} messages in a call";

    public string QuantumAnswers => QuantumMilliseconds == 0 ? "answers at once" : $"takes {QuantumMilliseconds} ms for a save";

    /// <exception cref="FormatException">An option is unknown, or its value makes no sense.</exception>
    public static LoadOptions Parse(IReadOnlyList<string> args)
    {
        var options = new LoadOptions();
        var left = new Queue<string>(args);
        while (left.TryDequeue(out var name))
        {
            options = name switch
            {
                "--only" => options with { Workloads = Choose(Workload.All, Value(), work => work.Key) },
                "--peers" =>
                    options with { Peers = Value() is var peers && peers == "none" ? [] : Choose(
                        Contestant.Peers, peers, peer => peer.Key) },
                "--runs" => options with { Runs = Math.Max(1, int.Parse(Value(), CultureInfo.InvariantCulture)) },
                "--warmup" => options with { WarmUpSeconds = double.Parse(Value(), CultureInfo.InvariantCulture) },
                "--seconds" => options with { Seconds = double.Parse(Value(), CultureInfo.InvariantCulture) },
                "--quick" => options with { Runs = 1, WarmUpSeconds = 1, Seconds = 2 },
                "--nodes" => options with { Nodes = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--quantum-at-once" => options with { QuantumMilliseconds = 0 },
                "--save-batch" => options with { SaveBatch = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--appendonly" => options with { AppendOnly = true },
                "--no-docs" => options with { WritesDocs = false },
                "--fault" => options with { Fault = Value() },
                _ => throw new FormatException($"There is no option {name}."),
            };

            string Value() => left.TryDequeue(out var value) ? value : throw new FormatException($"{name} needs a value.");
        }

        return options;
    }

    private static List<T> Choose<T>(IReadOnlyList<T> all, string names, Func<T, string> key)
    {
        // A whole name means that one, though others may begin like it.
        var chosen = all.Where(one => names.Split(',').Any(name =>
            key(one) == name || (key(one).StartsWith(name, StringComparison.Ordinal) && !all.Any(other => key(other) == name)))).ToList();
        return chosen.Count > 0 ? chosen : throw new FormatException($"Nothing is called {names}.");
    }
}
