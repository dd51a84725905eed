using Pipelines.Sockets.Unofficial.Arenas;

namespace Compat.Tests.Arenas;

public sealed class SequenceTests
{
    private readonly Sequence<int> _sequence = Run(3, 1, 4, 1, 5);

    [Fact]
    public void Enumerator_Elements_CanBeReadAndWritten()
    {
        var sum = 0;
        foreach (ref var item in _sequence)
        {
            sum += item;
            item *= 2;
        }

        sum.Should().Be(14);
        _sequence[2].Should().Be(8);
        _sequence.FirstSpan.ToArray().Should().Equal(6, 2, 8, 2, 10);
    }

    [Fact]
    public void GetNext_PastTheEnd_Throws()
    {
        var sequence = Run(7);
        var read = () =>
        {
            var enumerator = sequence.GetEnumerator();
            enumerator.GetNext().Should().Be(7);
            enumerator.GetNext();
        };
        read.Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public void Indexer_OutOfRange_Throws()
    {
        var beyond = () => _sequence[5];
        var negative = () => _sequence[-1];
        beyond.Should().Throw<IndexOutOfRangeException>();
        negative.Should().Throw<IndexOutOfRangeException>();
    }

    [Fact]
    public void Spans_WholeRun_IsOneSegment()
    {
        var lengths = new List<int>();
        foreach (var span in _sequence.Spans)
        {
            lengths.Add(span.Length);
        }

        lengths.Should().Equal(5);
        _sequence.IsSingleSegment.Should().BeTrue();
    }

    [Fact]
    public void Untyped_CastBack_IsTheSameRun()
    {
        var untyped = _sequence.Untyped();
        untyped.Length.Should().Be(5);
        untyped.Cast<int>().Should().Be(_sequence);
        untyped.Invoking(u => u.Cast<string>()).Should().Throw<InvalidCastException>();
    }

    [Fact]
    public void ToArray_Projection_MakesEachElement()
    {
        _sequence.ToArray((in int i) => i.ToString()).Should().Equal("3", "1", "4", "1", "5");
        _sequence.ToArray((in int i, in int plus) => i + plus, 10).Should().Equal(13, 11, 14, 11, 15);
        default(Sequence<int>).ToArray((in int i) => i).Should().BeEmpty();
        default(Sequence<int>).ToArray((in int i, in int plus) => i + plus, 1).Should().BeEmpty();
    }

    [Fact]
    public void CopyTo_DestinationTooShort_Throws()
    {
        var target = new long[6];
        _sequence.CopyTo(target.AsSpan(), (in int i) => (long)i);
        target.Should().Equal(3, 1, 4, 1, 5, 0);
        var copy = () => _sequence.CopyTo(new long[4].AsSpan(), (in int i) => (long)i);
        copy.Should().Throw<ArgumentException>();
    }

    private static Sequence<int> Run(params int[] values)
    {
        var run = new Arena<int>().Allocate(values.Length);
        values.CopyTo(run.FirstSpan);
        return run;
    }
}
