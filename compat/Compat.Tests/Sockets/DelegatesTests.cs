using Pipelines.Sockets.Unofficial;

namespace Compat.Tests.Sockets;

public sealed class DelegatesTests
{
    private readonly List<int> _calls = [];

    [Fact]
    public void AsEnumerable_SeveralTargets_GivesThemInOrder()
    {
        Action action = () => _calls.Add(1);
        action += () => _calls.Add(2);
        action += () => _calls.Add(3);
        foreach (var target in action.AsEnumerable())
        {
            target();
        }

        _calls.Should().Equal(1, 2, 3);
        action.IsSingle().Should().BeFalse();
    }

    [Fact]
    public void AsEnumerable_OneOrNoTarget_GivesOneOrNone()
    {
        Action one = () => _calls.Add(1);
        one.IsSingle().Should().BeTrue();
        foreach (var target in one.AsEnumerable())
        {
            target();
        }

        foreach (var target in ((Action?)null).AsEnumerable())
        {
            target();
        }

        _calls.Should().Equal(1);
    }

    [Fact]
    public void AsEnumerable_Walk_AllocatesNothing()
    {
        var sum = 0;
        Action action = () => sum++;
        action += () => sum += 10;
        Walk(action);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Walk(action);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        sum.Should().Be(22);
    }

    private static void Walk(Action action)
    {
        foreach (var target in action.AsEnumerable())
        {
            target();
        }
    }
}
