using Pipelines.Sockets.Unofficial.Arenas;

namespace Compat.Tests.Arenas;

public sealed class ArenaTests
{
    [Fact]
    public void Allocate_ManyRuns_DoNotOverlap()
    {
        using var arena = new Arena<int>();
        var runs = Enumerable.Range(0, 10_000).Select(i => Filled(arena.Allocate(1 + (i % 40)), i)).ToList();
        for (var i = 0; i < runs.Count; i++)
        {
            runs[i].Length.Should().Be(1 + (i % 40));
            runs[i].FirstSpan.ContainsAnyExcept(i).Should().BeFalse();
        }
    }

    [Fact]
    public void Allocate_Nothing_IsEmpty()
    {
        using var arena = new Arena<int>();
        var run = arena.Allocate(0);
        run.IsEmpty.Should().BeTrue();
        run.Untyped().Length.Should().Be(0);
        run.Untyped().Cast<int>().IsEmpty.Should().BeTrue();
        run.GetEnumerator().MoveNext().Should().BeFalse();
        run.Spans.GetEnumerator().MoveNext().Should().BeFalse();
    }

    [Fact]
    public void Allocate_NegativeLength_Throws()
    {
        using var arena = new Arena<int>();
        arena.Invoking(a => a.Allocate(-1)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Allocate_BlockSizeGiven_IsHonoured()
    {
        var options = new ArenaOptions(ArenaFlags.None, blockSizeBytes: 64);
        using var arena = new Arena<long>(options);
        arena.Allocate(1)[0] = 7;
        AllocatedBy(() => arena.Allocate(7)).Should().Be(0, "eight longs are one block");
        AllocatedBy(() => arena.Allocate(1)).Should().BeInRange(64, 300);
    }

    [Fact]
    public void Reset_SmallRounds_AllocateNothing()
    {
        using var arena = new Arena<object?>();
        arena.Allocate(10);
        arena.Reset();
        AllocatedBy(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                arena.Allocate(10);
                arena.Reset();
            }
        }).Should().Be(0);
    }

    [Fact]
    public void Reset_GiantRunRepeated_ReusesItUntilARoundWithoutIt()
    {
        const int Giant = 1_000_000;
        using var arena = new Arena<long>();
        arena.Allocate(3);
        arena.Allocate(Giant);
        arena.Reset();
        AllocatedBy(() =>
        {
            for (var i = 0; i < 10; i++)
            {
                arena.Allocate(3);
                arena.Allocate(Giant);
                arena.Reset();
            }
        }).Should().BeLessThan(1000, "a reply that arrives in pieces is parsed again at each piece");

        arena.Allocate(3);
        arena.Reset();
        AllocatedBy(() => arena.Allocate(Giant)).Should().BeGreaterThan(Giant, "it was given up once it was not needed");
    }

    [Fact]
    public void Reset_AfterAGiantRun_LetsTheMemoryGo()
    {
        using var arena = new Arena<object?>();
        var reference = UseGiant(arena);
        arena.Allocate(1);
        arena.Reset();
        GC.Collect();
        reference.IsAlive.Should().BeFalse();
    }

    [Fact]
    public void Reset_UsedElements_KeepNothingAlive()
    {
        using var arena = new Arena<object?>();
        var reference = UseOne(arena);
        GC.Collect();
        reference.IsAlive.Should().BeFalse();
    }

    [Fact]
    public void Dispose_WhileARunIsInUse_LeavesTheRunAndServesOn()
    {
        var arena = new Arena<int>();
        var run = Filled(arena.Allocate(5), 9);
        arena.Dispose();
        Filled(arena.Allocate(5), 4);
        arena.Reset();
        run.FirstSpan.ToArray().Should().OnlyContain(value => value == 9);
    }

    private static Sequence<int> Filled(Sequence<int> run, int value)
    {
        run.FirstSpan.Fill(value);
        return run;
    }

    private static WeakReference UseGiant(Arena<object?> arena)
    {
        var target = new object();
        arena.Allocate(1_000_000)[0] = target;
        arena.Reset();
        return new WeakReference(target);
    }

    private static WeakReference UseOne(Arena<object?> arena)
    {
        var target = new object();
        arena.Allocate(1)[0] = target;
        arena.Reset();
        return new WeakReference(target);
    }

    private static long AllocatedBy(Action action)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
