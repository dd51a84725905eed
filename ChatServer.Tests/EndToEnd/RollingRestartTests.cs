using System.Globalization;
using ChatServer.Tests.Faults.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

/// <summary>
/// Two nodes under clients that never stop writing are restarted one after the other, as for a new version. CHAT_DRAIN_CLIENTS sets how
/// many clients there are.
/// </summary>
public sealed class RollingRestartTests(DevCertificate certificate, ITestOutputHelper output) : IClassFixture<DevCertificate>
{
    private const int UsualClients = 200;
    private const int MembersOfRoom = 10;
    private const int DrainSeconds = 5;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan HomeWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SettledWithin = TimeSpan.FromSeconds(90);

    /// <summary>From the close frame to the rooms on the other node, the client's own pause of up to half a second included.</summary>
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(5);

    private static int ClientCount =>
        int.TryParse(Environment.GetEnvironmentVariable("CHAT_DRAIN_CLIENTS"), CultureInfo.InvariantCulture, out var count)
            ? count
            : UsualClients;

    [Fact]
    public async Task Clients_that_keep_writing_lose_double_and_disorder_nothing_and_are_back_soon()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var quantum = await QuantumServer.StartAsync();
        quantum.Members = _ => [.. Enumerable.Range(1, ClientCount).Select(user => (long)user)];
        await using var first = Node();
        await using var second = Node();
        await Task.WhenAll(first.StartAsync(), second.StartAsync());
        var sessions = new FaultSessions(connection, quantum);
        var clients = new List<FaultClient>();
        try
        {
            for (var user = 1; user <= ClientCount; user++)
            {
                var who = new Persona(user, TestSessions.Company, [2000 + (user / MembersOfRoom)]);
                clients.Add(new(who, await sessions.BeginAsync(who), [first.Url, second.Url], Pause, user, certificate));
            }

            await AllAsync(client => client.IsHome, HomeWithin, "in its room");
            clients.ForEach(client => client.Sends = true);
            foreach (var node in new[] { first, second })
            {
                node.Send(Signal.Terminate);
                (await node.ExitAsync(TimeSpan.FromSeconds(DrainSeconds + 5))).Should().Be(0);
                await AllAsync(client => client.IsHome, HomeWithin, "in its room");
                await node.StartAsync();
            }

            clients.ForEach(client => client.Sends = false);
            await AllAsync(client => client.Unacked == 0, SettledWithin, "acked");
            await quantum.WaitForSavedAsync(clients.Sum(client => client.Acks.Count), SettledWithin);
            await AllAsync(client => client.Since(client.Who.Rooms[0]) >= Head(client), SettledWithin, "up to date");
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }

        var histories = clients.Select(client => client.History).ToList();
        var findings = Checker.Check(
            histories,
            [.. quantum.Saved.Select(row => new SavedRow(row.Company, row.Room, row.User, row.Identifier, Checker.Abridge(row.Content)))]);
        findings.All.Should().BeEmpty("{0}", findings.Describe());
        Report(histories, findings.Acked);

        NodeProcess Node() => new(
            redis.Port, quantum.Url.Port, null, ("DRAIN_SECONDS", $"{DrainSeconds}"), ("CHAT_SAVES_IN_PARALLEL", "32"));

        Task AllAsync(Func<FaultClient, bool> condition, TimeSpan within, string what) => Eventually.TrueAsync(
            () => clients.TrueForAll(client => condition(client)), within,
            () => $"{clients.First(client => !condition(client))} is not {what}");

        long Head(FaultClient client) => clients.Where(other => other.Who.Rooms[0] == client.Who.Rooms[0])
            .SelectMany(other => other.Acks).Select(acked => acked.Seq).DefaultIfEmpty().Max();
    }

    /// <summary>What the drain closed, and how long each client was away.</summary>
    private void Report(List<ClientHistory> histories, int acked)
    {
        var away = new List<TimeSpan>();
        foreach (var events in histories.Select(history => history.Events))
        {
            DateTimeOffset? since = null;
            foreach (var happened in events)
            {
                if (happened is Ended { Code: 1012 })
                {
                    since = happened.At;
                }
                else if (happened is Joined && since is { } closed)
                {
                    away.Add(happened.At - closed);
                    since = null;
                }
            }
        }

        var codes = histories.SelectMany(history => history.Events).OfType<Ended>().CountBy(ended => ended.Code);
        away.Sort();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{histories.Count} clients, {acked} messages, closes {string.Join(", ", codes)}; away {away[away.Count / 2]} in the median, {away[^1]} at most"));
        away.Should().HaveCountGreaterThanOrEqualTo(histories.Count, "each client is on one of the nodes when that is stopped");
        away[^1].Should().BeLessThan(BackWithin);
    }
}
