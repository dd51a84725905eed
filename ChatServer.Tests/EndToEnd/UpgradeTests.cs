using ChatServer.Operations;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.EndToEnd;

/// <summary>
/// Over data that the version before this one has left: room 900 has one saved message, one dead letter and three that wait; room 901 one
/// that waits, and a file. <c>former-version.txt</c> has a line for each key: its name, its seconds to live (0: forever), and what DUMP
/// says of it.
/// </summary>
public sealed class UpgradeTests : IAsyncLifetime
{
    private const int Limit = 60_000;

    private readonly RedisServer _redis = new();
    private QuantumServer? _quantum;
    private TestNode? _node;
    private TestSessions? _sessions;

    private QuantumServer Quantum => _quantum!;

    public async ValueTask InitializeAsync()
    {
        await _redis.InitializeAsync();
        var connection = await _redis.ConnectAsync();
        foreach (var line in await File.ReadAllLinesAsync(Repository.PathOf("ChatServer.Tests/EndToEnd/Support/former-version.txt")))
        {
            var (key, seconds, dump) = line.Split(' ') switch { var parts => (parts[0], parts[1], parts[2]) };
            await connection.GetDatabase().ExecuteAsync("RESTORE", key, long.Parse(seconds) * 1000, Convert.FromBase64String(dump));
        }

        _sessions = new(connection);
        _quantum = await QuantumServer.StartAsync();
        _node = await TestNode.StartAsync(_redis, Quantum.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        await _quantum!.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task What_waits_is_saved_once_in_order_before_what_comes_now_though_its_senders_have_logged_out()
    {
        await using var cora = await LoginAsync(73, 900, 901);
        await cora.SayAsync(900, "new-1");
        await cora.SayAsync(901, "new-2");

        var saved = await Quantum.WaitForSavedAsync(7);

        saved.Where(call => call.Room == 900).Select(call => (call.Identifier, call.Authorization)).Should().Equal(
            ("waits-1", "Token rest-71"), ("waits-2", "Token rest-71"), ("waits-3", "Token rest-71"), ("new-1", "Token rest-73"));
        saved.Where(call => call.Room == 901).Select(call => call.Identifier).Should().Equal("other-1", "f1", "new-2");
        saved.Single(call => call.Identifier == "f1").File!.Bytes.Should().Equal(SentFile.Bytes(3_000));
        await Eventually.TrueAsync(() => Size().Waiting == 0, TimeSpan.FromSeconds(10), () => $"{Size().Waiting} are left");
        Quantum.Calls.Should().HaveCount(7);
    }

    [Fact(Timeout = Limit)]
    public async Task Who_returns_gets_what_was_missed_and_what_comes_now_and_a_known_identifier_is_known()
    {
        await using var ada = await LoginAsync(71);
        var epoch = (string)(await Connection.GetDatabase().HashGetAsync(
            new RedisKeys(RedisOptions.FormerDefaultPartitions).Room(new(TestSessions.Company, 900)), "epoch"))!;
        await ada.SendAsync(new { type = "join", room_id = 900, since = 1, epoch });
        var joined = await ada.FindAsync("joined");

        (joined.Number("seq"), joined.Flag("recovered")).Should().Be((5, true), "that Redis is another process has cost nobody anything");
        (await ada.SayAsync(900, "waits-2")).Number("seq").Should().Be(4);
        (await ada.SayAsync(900, "new-1")).Number("seq").Should().Be(6);
        await using var ben = await LoginAsync(72);
        await ben.SendAsync(new { type = "join", room_id = 900, since = 3, epoch = joined.Text("epoch") });
        var seen = (await ben.UntilMessageAsync("new-1")).Where(frame => frame.Type() == "chat").SelectMany(frame => frame.Messages());
        seen.Select(message => (message.Number("seq"), message.Text("identifier"))).Should()
            .Equal((4, "waits-2"), (5, "waits-3"), (6, "new-1"));
    }

    /// <summary>What its accept step writes: a whole message in the log and in the outbox, and nothing about what is saved.</summary>
    [Fact(Timeout = Limit)]
    public async Task What_a_node_of_the_former_version_accepts_beside_this_one_is_not_lost_and_holds_up_nothing()
    {
        await using var ada = await LoginAsync(71, 900);
        await ada.SayAsync(900, "new-1");
        await Quantum.WaitForSavedAsync(6);
        var keys = new RedisKeys(RedisOptions.FormerDefaultPartitions);
        var room = new RoomKey(TestSessions.Company, 900);
        var json = Drafts.Of(room, 72, "theirs").Json.Number(7).ToArray();
        var database = Connection.GetDatabase();
        await database.StreamAddAsync(keys.Log(room), [new("m", json), new("o", "0000000000000001")], "7-0");
        await database.HashSetAsync(keys.Room(room), [new("seq", 7), new("epoch", "theirs42"), new("gen", "other")]);

        (await ada.SayAsync(900, "new-2")).Number("seq").Should().Be(8);

        (await Quantum.WaitForSavedAsync(8)).TakeLast(2).Select(call => call.Identifier).Should().Equal("theirs", "new-2");
    }

    [Fact(Timeout = Limit)]
    public async Task A_dead_letter_can_be_retried()
    {
        await Quantum.WaitForSavedAsync(5);
        var output = new StringWriter { NewLine = "\n" };

        await DeadLettersCommand.RunAsync(_node!.Services.GetRequiredService<RedisOptions>(), ["retry"], output);

        output.ToString().Should().Be("1 retried\n");
        (await Quantum.WaitForSavedAsync(6))[^1].Identifier.Should().Be("bad-1");
    }

    private StackExchange.Redis.IConnectionMultiplexer Connection =>
        _node!.Services.GetRequiredService<StackExchange.Redis.IConnectionMultiplexer>();

    private OutboxSize Size() => _node!.Services.GetRequiredService<IOutbox>().SizeAsync().AsTask().GetAwaiter().GetResult();

    private async Task<ChatPeer> LoginAsync(long user, params long[] rooms) =>
        await ChatPeer.LoginAsync(_node!.Url, await _sessions!.LoginAsync(user), rooms);
}
