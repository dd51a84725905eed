using System.Globalization;
using System.Text;

namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// A run of random faults, all of them drawn from one seed: moments of one fault or two, quiet ones between, then an end at which
/// everything must be right.
/// </summary>
internal sealed class FaultRun(int seed, TimeSpan time, Action<string> write)
{
    /// <summary>Clients that lose their network during a fault, at most.</summary>
    private const int MaxDrops = 4;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SettleWithin = TimeSpan.FromSeconds(60);

    private readonly Random _random = new(seed);
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private int _drops;

    /// <summary>Runs, and fails the test if a promise was broken.</summary>
    public async Task PassAsync()
    {
        await using var site = await FaultSite.StartAsync(seed, Interval);
        site.Begin();
        var deck = new FaultDeck(site, _random);
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < time)
        {
            await Task.Delay(_random.Next(200, 1500));
            await MakeAsync(site, deck);
        }

        var settling = TimeProvider.System.GetTimestamp();
        var missing = await site.SettleAsync(SettleWithin);
        var settled = TimeProvider.System.GetElapsedTime(settling);
        var findings = site.Check();
        write(
            $"Seed {seed}: {findings}; settled in {settled.TotalSeconds:F1} s; {_faults.Values.Sum()} faults: {_drops} x a client loses its network, "
            + string.Join(", ", _faults.Select(fault => $"{fault.Value} x {fault.Key}")));

        var why = findings.IsClean ? "" : Explain(site, findings);
        findings.IsClean.Should().BeTrue("seed {0} must pass.\n{1}\n{2}", seed, missing, why);
        site.Complaints().Should().BeEmpty("seed {0}: what fails around a node is no error of its own", seed);
        missing.Should().BeNull("seed {0} must settle within {1}", seed, SettleWithin);
    }

    private async Task MakeAsync(FaultSite site, FaultDeck deck)
    {
        const double oftenTwo = 0.3;
        var first = deck.Draw();
        var second = _random.NextDouble() < oftenTwo ? deck.DrawBeside(first) : null;
        var drops = Enumerable.Range(0, _random.Next(MaxDrops + 1))
            .Select(_ => DropAsync(site.Clients[_random.Next(site.Clients.Count)], TimeSpan.FromMilliseconds(_random.Next(2000)))).ToList();
        await Task.WhenAll(
            Note(first).DoAsync(), second is null ? Task.CompletedTask : Note(second).DoAsync(),
            Task.WhenAll(drops));
    }

    /// <summary>Whoever comes back in the midst of a fault has its replay there.</summary>
    private async Task DropAsync(FaultClient client, TimeSpan after)
    {
        await Task.Delay(after);
        Interlocked.Increment(ref _drops);
        client.Drop();
    }

    private Fault Note(Fault fault)
    {
        _faults[fault.Name] = _faults.GetValueOrDefault(fault.Name) + 1;
        write($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {fault.Name} ({fault.Victim})");
        return fault;
    }

    /// <summary>The breaches, the history around the first, and what the nodes said at that time.</summary>
    private static string Explain(FaultSite site, Findings findings)
    {
        var text = new StringBuilder(findings.Describe());
        if (findings.First is { Who: { } who } first)
        {
            var at = who.Events[first.Index].At;
            var (from, to) = (Stamp(at.AddSeconds(-8)), Stamp(at.AddSeconds(4)));
            foreach (var (node, number) in site.NodeProcesses.Select((node, number) => (node, number)))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"Node {number} ({node.Url.Authority}) around then:");
                foreach (var line in node.Log.Where(line => string.CompareOrdinal(line, from) > 0 && string.CompareOrdinal(line, to) < 0)
                    .Take(60))
                {
                    text.AppendLine(CultureInfo.InvariantCulture, $"  {(line.Length > 300 ? line[..300] : line)}");
                }
            }
        }

        return text.ToString();
    }

    private static string Stamp(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
