using ChatServer.Quantum;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Quantum;

public sealed class QuestionSlotsTests
{
    private const int Limit = 20_000;

    private readonly QuestionSlots _slots = new();

    [Fact(Timeout = Limit)]
    public async Task Take_OneTokenWithMany_HasNoMoreThanItsShareAtOnce()
    {
        var mine = Take("a", 10);

        mine.Count(slot => slot.IsCompleted).Should().Be(QuantumOptions.QuestionsAtOncePerToken);
        for (var given = 0; given < 10; given++)
        {
            (await mine[given]).Dispose();
            var all = Math.Min(10, given + 1 + QuantumOptions.QuestionsAtOncePerToken);
            await Eventually.TrueAsync(
                () => mine.Count(slot => slot.IsCompleted) == all, TimeSpan.FromSeconds(5), () => $"{all} should have had their turn");
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Take_ManyTokens_AreNoMoreThanTheNodesAndTakeTurns()
    {
        var greedy = Enumerable.Range(0, 8).SelectMany(token => Take($"greedy{token}", 50)).ToList();
        greedy.Count(slot => slot.IsCompleted).Should().Be(QuantumOptions.QuestionsAtOnce);
        var modest = Take("modest", 1)[0];

        for (var returned = 0; !modest.IsCompleted; returned++)
        {
            returned.Should().BeLessThan(9, "each of the others has one turn before it at most");
            var held = greedy.First(slot => slot.IsCompleted);
            greedy.Remove(held);
            (await held).Dispose();
            await Task.WhenAny(modest, Task.Delay(20));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Take_GivenUp_TakesNobodysPlace()
    {
        using var giveUp = new CancellationTokenSource();
        var held = Take("a", QuantumOptions.QuestionsAtOncePerToken);
        var gone = _slots.TakeAsync("a", giveUp.Token).AsTask();
        var next = Take("a", 1)[0];
        await giveUp.CancelAsync();
        await FluentActions.Awaiting(() => gone).Should().ThrowAsync<OperationCanceledException>();
        next.IsCompleted.Should().BeFalse();

        var slot = await held[0];
        slot.Dispose();
        slot.Dispose();

        await next;
        Take("a", 1)[0].IsCompleted.Should().BeFalse("a slot is given back once");
    }

    [Fact(Timeout = Limit)]
    public async Task Take_ByManyThreads_LosesNoSlot()
    {
        var (now, most) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 400).Select(number => Task.Run(async () =>
        {
            using (await _slots.TakeAsync($"t{number % 7}", CancellationToken.None))
            {
                var mine = Interlocked.Increment(ref now);
                InterlockedMax(ref most, mine);
                await Task.Yield();
                Interlocked.Decrement(ref now);
            }
        })));

        most.Should().BeLessThanOrEqualTo(QuantumOptions.QuestionsAtOnce);
        var all = Enumerable.Range(0, QuantumOptions.QuestionsAtOnce).Select(number => Take($"n{number}", 1)[0]).ToList();
        all.Should().OnlyContain(slot => slot.IsCompleted);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); seen < value; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    private List<Task<IDisposable>> Take(string token, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => _slots.TakeAsync(token, CancellationToken.None).AsTask())];
}
