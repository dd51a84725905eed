using System.Globalization;
using ChatServer.Operations;
using ChatServer.Redis;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.EndToEnd;

/// <summary>With SAVE_BATCH one call of Quantum's API saves messages of many rooms.</summary>
public sealed class BulkSavingTests : IAsyncLifetime
{
    private const int Limit = 120_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly RedisServer _redis = new();
    private QuantumServer? _quantum;
    private TestNode? _node;
    private TestSessions? _sessions;

    private QuantumServer Quantum => _quantum!;

    public async ValueTask InitializeAsync()
    {
        await _redis.InitializeAsync();
        _sessions = new(await _redis.ConnectAsync());
        _quantum = await QuantumServer.StartAsync();
        _node = await TestNode.StartAsync(
            _redis, Quantum.Url, ("SAVE_BATCH", "50"), ("QUANTUM_SERVICE_TOKEN", "service"), ("SAVE_ATTEMPTS", "3"));
    }

    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        await _quantum!.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task After_an_outage_many_rooms_are_saved_in_few_calls_each_in_its_order()
    {
        Quantum.Instead = Answering(503);
        await using var ada = await LoginAsync(1, [.. Rooms]);
        await SayAllAsync(ada, 20);

        Quantum.Instead = (_, _) => Task.FromResult(false);
        var saved = await Quantum.WaitForSavedAsync(200, Patience);

        foreach (var room in Rooms)
        {
            saved.Where(call => call.Room == room).Select(call => call.Identifier).Should()
                .Equal(Enumerable.Range(1, 20).Select(number => $"{room}-{number}"));
        }

        saved.Should().HaveCount(200).And.OnlyContain(call => call.Authorization == "Token service");
        Quantum.Batches.Should().OnlyContain(batch => batch.Count <= 50);
        var last = Quantum.Batches.Where(batch => batch.Any(call => call.Identifier.EndsWith("-20", StringComparison.Ordinal)));

        // Whether rooms share one depends on who waits at that moment; each room's backlog goes together in any case.
        last.Should().OnlyContain(batch => batch.Count > 1).And.HaveCountLessThanOrEqualTo(Rooms.Count());
    }

    [Fact(Timeout = Limit)]
    public async Task What_is_refused_is_a_dead_letter_and_the_other_messages_of_its_call_are_saved()
    {
        Quantum.Refusal = call => call.Identifier == "100-3" ? "not in this tone" : null;
        Quantum.Instead = Answering(503);
        await using var ada = await LoginAsync(1, [.. Rooms]);
        await SayAllAsync(ada, 5);
        Quantum.Instead = (_, _) => Task.FromResult(false);

        var saved = await Quantum.WaitForSavedAsync(49, Patience);

        Quantum.Batches.Should().Contain(batch => batch.Count > 1 && batch.Any(call => call.Identifier == "100-3"));
        saved.Where(call => call.Room == 100).Select(call => call.Identifier).Should().Equal("100-1", "100-2", "100-4", "100-5");
        (await ada.ToldAsync("info")).Text("message").Should().Be("not in this tone");
        (await DeadLettersAsync()).Should().Contain("100-3").And.Contain("1 dead letters");
    }

    [Fact(Timeout = Limit)]
    public async Task A_call_that_is_refused_as_a_whole_is_halved_until_the_culprit_stands_alone()
    {
        Quantum.Instead = Answering(503);
        await using var ada = await LoginAsync(1, [.. Rooms]);
        await SayAllAsync(ada, 5);
        Quantum.InsteadOfBatch = Answering<IReadOnlyList<SaveCall>>(400, calls => calls.Any(call => call.Identifier == "101-2"));
        Quantum.Instead = Answering(400, call => call.Identifier == "101-2");

        var saved = await Quantum.WaitForSavedAsync(49, Patience);

        Quantum.Batches.Should().Contain(batch => batch.Count > 2 && batch.Any(call => call.Identifier == "101-2"));
        saved.Select(call => call.Identifier).Should().NotContain("101-2").And.OnlyHaveUniqueItems();
        saved.Where(call => call.Room == 101).Select(call => call.Identifier).Should().Equal("101-1", "101-3", "101-4", "101-5");
        await Eventually.TrueAsync(
            () => DeadLettersAsync().GetAwaiter().GetResult().Contains("1 dead letters", StringComparison.Ordinal), Patience,
            () => "the culprit is no dead letter");
    }

    [Fact(Timeout = Limit)]
    public async Task A_message_on_which_Quantum_stumbles_makes_no_dead_letters_of_those_that_shared_its_calls()
    {
        Quantum.Instead = Answering(503);
        await using var ada = await LoginAsync(1, [.. Rooms]);
        await SayAllAsync(ada, 5);
        Quantum.InsteadOfBatch = Answering<IReadOnlyList<SaveCall>>(500, calls => calls.Any(call => call.Identifier == "102-2"));
        Quantum.Instead = Answering(500, call => call.Identifier == "102-2");

        // That a message fails counts only while others are saved.
        for (var more = 1; Quantum.Saved.All(call => call.Identifier != "102-5"); more++)
        {
            await ada.SayAsync(109, $"more-{more}");
            await Task.Delay(100);
        }

        Quantum.Batches.Should().Contain(batch => batch.Count > 1 && batch.Any(call => call.Identifier == "102-2"));
        Quantum.Saved.Select(call => call.Identifier).Should().NotContain("102-2");
        (await DeadLettersAsync()).Should().Contain("102-2").And.Contain("1 dead letters");
    }

    [Theory(Timeout = Limit)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(501)]
    public async Task A_Quantum_without_the_call_gets_its_messages_one_by_one_and_the_operator_a_word(int status)
    {
        Quantum.InsteadOfBatch = Answering<IReadOnlyList<SaveCall>>(status, _ => true);
        var allSaid = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Quantum.Instead = async (_, _) =>
        {
            // Meanwhile the rooms get more to save, which would fit into one call.
            await allSaid.Task;
            return false;
        };
        await using var ada = await LoginAsync(1, [.. Rooms]);
        await SayAllAsync(ada, 5);
        allSaid.SetResult();

        var saved = await Quantum.WaitForSavedAsync(50, Patience);

        saved.Where(call => call.Room == 100).Select(call => call.Identifier).Should()
            .Equal(Enumerable.Range(1, 5).Select(number => $"100-{number}"));
        _node!.Log.All.Where(line => line.Contains("save_messages_to_db", StringComparison.Ordinal)).Should().ContainSingle()
            .Which.Should().Contain(status.ToString(CultureInfo.InvariantCulture));
        var batches = Quantum.Batches.Count;
        await ada.SayAsync(100, "later-1");
        await ada.SayAsync(101, "later-2");
        await Quantum.WaitForSavedAsync(52, Patience);
        Quantum.Batches.Should().HaveCount(batches, "it is not asked again so soon");
    }

    [Fact(Timeout = Limit)]
    public async Task A_file_goes_by_itself_in_its_place()
    {
        Quantum.Instead = Answering(503);
        await using var ada = await LoginAsync(1, 100, 101);
        for (var number = 1; number <= 4; number++)
        {
            await ada.SayAsync(100, $"before-{number}");
            await ada.SayAsync(101, $"other-{number}");
        }

        await ada.UploadAsync(100, "f", SentFile.Bytes(1000));
        await ada.SayAsync(100, "after-1");
        await ada.SayAsync(100, "after-2");

        Quantum.Instead = (_, _) => Task.FromResult(false);
        var saved = await Quantum.WaitForSavedAsync(11, Patience);

        saved.Where(call => call.Room == 100).Select(call => call.Identifier).Should()
            .Equal("before-1", "before-2", "before-3", "before-4", "f", "after-1", "after-2");
        saved.Single(call => call.Identifier == "f").File!.Bytes.Should().Equal(SentFile.Bytes(1000));
    }

    private static IEnumerable<long> Rooms => Enumerable.Range(100, 10).Select(room => (long)room);

    private static Func<SaveCall, HttpContext, Task<bool>> Answering(int status, Func<SaveCall, bool>? when = null) =>
        Answering<SaveCall>(status, when ?? (_ => true));

    private static Func<T, HttpContext, Task<bool>> Answering<T>(int status, Func<T, bool> when) => (call, context) =>
    {
        var isMeant = when(call);
        context.Response.StatusCode = isMeant ? status : StatusCodes.Status200OK;
        return Task.FromResult(isMeant);
    };

    private async Task<ChatPeer> LoginAsync(long user, params long[] rooms) =>
        await ChatPeer.LoginAsync(_node!.Url, await _sessions!.LoginAsync(user), rooms);

    /// <summary>Says 100-1, 101-1 … 100-2, 101-2 and so on, one behind the other.</summary>
    private static async Task SayAllAsync(ChatPeer peer, int each)
    {
        for (var number = 1; number <= each; number++)
        {
            foreach (var room in Rooms)
            {
                await peer.SayAsync(room, $"{room}-{number}");
            }
        }
    }

    private async Task<string> DeadLettersAsync()
    {
        var output = new StringWriter { NewLine = "\n" };
        await DeadLettersCommand.RunAsync(_node!.Services.GetRequiredService<RedisOptions>(), ["list"], output);
        return output.ToString();
    }
}
