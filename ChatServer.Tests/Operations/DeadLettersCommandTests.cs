using System.Globalization;
using ChatServer.Operations;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Operations;

public sealed class DeadLettersCommandTests(RedisServer redis) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private const int Limit = 30_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private RedisNode? _node;

    private RedisNode Node => _node!;

    public async ValueTask InitializeAsync()
    {
        _node = await RedisNode.ConnectAsync(redis);
        await Node.Database.ExecuteAsync("FLUSHDB");
    }

    public ValueTask DisposeAsync() => Node.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task List_NothingIsThere_SaysSo() => (await RunAsync("list")).Should().Be((0, "0 dead letters\n"));

    [Fact(Timeout = Limit)]
    public async Task List_TellsOfEachWhereItBelongsAndWhy()
    {
        var (one, two) = (Drafts.NewRoom(), Drafts.NewRoom());
        await MoveToDeadLettersAsync(one, "a1", "not in this tone");
        await MoveToDeadLettersAsync(one, "a2", "gone");
        await MoveToDeadLettersAsync(two, "ä 3", "gone");

        var (code, output) = await RunAsync("list");

        code.Should().Be(0);
        var lines = output.Split('\n');
        lines.Should().HaveCount(5);
        lines.Should().ContainSingle(line => line.EndsWith($"  3/{one.RoomId}/7/a1  seq 1  not in this tone", StringComparison.Ordinal));
        lines.Should().ContainSingle(line => line.EndsWith($"  3/{one.RoomId}/7/a2  seq 2  gone", StringComparison.Ordinal));
        lines.Should().ContainSingle(line => line.EndsWith($"  3/{two.RoomId}/7/ä 3  seq 1  gone", StringComparison.Ordinal));
        lines.Take(3).Should().AllSatisfy(line => DateTimeOffset.TryParse(
            line.Split("  ")[0], CultureInfo.InvariantCulture, out _).Should().BeTrue("it begins with when: {0}", line));
        lines[3].Should().Be("3 dead letters");
    }

    [Fact(Timeout = Limit)]
    public async Task List_ForeignText_CannotSteerTheTerminalAndItsShownNameIsUnderstood()
    {
        var room = Drafts.NewRoom();
        await MoveToDeadLettersAsync(room, "a\u001B[2J\u202E", $"no\r\n1 dead letters{new string('x', 400)}");

        var (_, output) = await RunAsync("list");

        output.Split('\n').Should().HaveCount(3);
        output.Should().Contain($"3/{room.RoomId}/7/a\\u001b[2J\\u202e  seq 1  no\\u000d\\u000a1 dead")
            .And.NotContain(new string('x', 201));
        (await RunAsync("drop", "\u001B[2J")).Output.Should().StartWith("There is no dead letter \\u001b[2J.");
        (await RunAsync("drop", $"3/{room.RoomId}/7/a\\u001b[2J\\u202e")).Should().Be((0, "1 dropped\n"));
    }

    [Fact(Timeout = Limit)]
    public async Task List_ALetterThatCannotBeRead_IsShownAllTheSame()
    {
        await Node.Database.StreamAddAsync(
            RedisKeys.DeadLetters(5), [new("m", "no JSON"), new("r", "broken"), new("at", "2030-01-01T00:00:00Z")], "8-1");

        (await RunAsync("list")).Should().Be((0, "2030-01-01T00:00:00Z  0/0/0/8-1  seq 0  broken\n1 dead letters\n"));
        (await RunAsync("drop", "8-1")).Should().Be((0, "1 dropped\n"));
    }

    [Fact(Timeout = Limit)]
    public async Task Retry_Named_GivesThatOneBackAndKeepsTheRest()
    {
        var room = Drafts.NewRoom();
        await MoveToDeadLettersAsync(room, "a1", "gone");
        await MoveToDeadLettersAsync(room, "a2", "gone");

        (await RunAsync("retry", "a2")).Should().Be((0, "1 retried\n"));

        (await WaitingAsync(room)).Should().Equal("a2");
        (await DeadAsync()).Should().Equal("a1");
    }

    [Fact(Timeout = Limit)]
    public async Task Retry_WithoutAName_GivesAllBack()
    {
        var (one, two) = (Drafts.NewRoom(), Drafts.NewRoom());
        await MoveToDeadLettersAsync(one, "a1", "gone");
        await MoveToDeadLettersAsync(two, "b1", "gone");

        (await RunAsync("retry")).Should().Be((0, "2 retried\n"));

        (await WaitingAsync(one)).Should().Equal("a1");
        (await WaitingAsync(two)).Should().Equal("b1");
        (await DeadAsync()).Should().BeEmpty();
        (await RunAsync("retry")).Should().Be((0, "0 retried\n"));
    }

    [Fact(Timeout = Limit)]
    public async Task Retry_AnIdentifierThatIsNotThere_IsToldAndTheRestIsDone()
    {
        var room = Drafts.NewRoom();
        await MoveToDeadLettersAsync(room, "a1", "gone");

        (await RunAsync("retry", "a1", "A1")).Should().Be((1, "There is no dead letter A1.\n1 retried\n"));

        (await WaitingAsync(room)).Should().Equal("a1");
    }

    [Fact(Timeout = Limit)]
    public async Task Retry_TheSameIdentifierInTwoRooms_GivesBothBack()
    {
        var (one, two) = (Drafts.NewRoom(), Drafts.NewRoom());
        await MoveToDeadLettersAsync(one, "same", "gone");
        await MoveToDeadLettersAsync(two, "same", "gone");

        (await RunAsync("retry", "same")).Should().Be((0, "2 retried\n"));
    }

    [Fact(Timeout = Limit)]
    public async Task Drop_Named_ForgetsThatOneForGood()
    {
        var room = Drafts.NewRoom();
        await MoveToDeadLettersAsync(room, "a1", "gone");
        await MoveToDeadLettersAsync(room, "a2", "gone");

        (await RunAsync("drop", "a1", "unknown")).Should().Be((1, "There is no dead letter unknown.\n1 dropped\n"));

        (await DeadAsync()).Should().Equal("a2");
        (await WaitingAsync(room)).Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Run_RedisIsAway_SaysWhichSettingsToCheck()
    {
        var output = new StringWriter { NewLine = "\n" };

        var code = await DeadLettersCommand.RunAsync(RedisNode.OptionsFor(FreePort.Next()), ["list"], output).WaitAsync(Patience);

        code.Should().Be(69);
        output.ToString().Should().Contain("Redis is out of reach").And.Contain("REDIS_HOST").And.NotContain("dead letters");
    }

    [Fact(Timeout = Limit)]
    public async Task Run_WithoutRedis_SaysWhatToSet()
    {
        var output = new StringWriter { NewLine = "\n" };

        var code = await DeadLettersCommand.RunAsync(RedisNode.OptionsFor(1) with { EndPoints = [] }, ["list"], output).WaitAsync(Patience);

        code.Should().Be(69);
        output.ToString().Should().Contain("REDIS_HOST").And.Contain("QUANTUM_SERVER_URL");
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var output = new StringWriter { NewLine = "\n" };
        var code = await DeadLettersCommand.RunAsync(RedisNode.OptionsFor(redis.Port), arguments, output).WaitAsync(Patience);
        return (code, output.ToString());
    }

    /// <summary>Quantum has refused a message.</summary>
    private async Task MoveToDeadLettersAsync(RoomKey room, string identifier, string reason)
    {
        await Node.Backplane.AcceptAsync(Drafts.Of(room, 7, identifier));
        await Node.Outbox.SettleAsync(room, 1, reason);
    }

    /// <summary>The identifiers of what a room has to save.</summary>
    private async Task<IEnumerable<string>> WaitingAsync(RoomKey room) =>
        (await Node.Outbox.UnsavedOfAsync(room)).Select(pending => pending.Message!.Identifier);

    private async Task<IEnumerable<string>> DeadAsync() =>
        await new DeadLetters(Node.Connection, Node.Keys).ListAsync().Select(letter => letter.Message.Identifier).ToListAsync();
}
