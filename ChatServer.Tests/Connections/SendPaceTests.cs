using ChatServer.Connections;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Connections;

/// <summary>What counts is what a peer takes in a time, never how much was given to it at once.</summary>
public sealed class SendPaceTests
{
    private const int Limit = 1000;
    private const int Quarter = Limit / 4;

    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly FakeTimeProvider _time = new();
    private SendPace _pace;

    [Theory]
    [InlineData(0, false)]
    [InlineData(Limit - 1, false)]
    [InlineData(Limit, false)]
    [InlineData(Limit + 1, true)]
    [InlineData(100L * Limit, true)]
    public void IsTooSlow_NothingIsTaken_OnlyWhereMoreThanTheLimitWaits(long waiting, bool slow)
    {
        Queue(waiting);

        Pass(ConnectionOptions.SlowAfter - Tick).Should().BeFalse("it has its time, whatever waits");
        Pass(Tick).Should().Be(slow);
        Pass(TimeSpan.FromHours(1)).Should().Be(slow);
    }

    [Theory]
    [InlineData(Limit + 1, false)]
    [InlineData(Limit, true)]
    [InlineData(0, true)]
    public void IsTooSlow_TakesLessThanAQuarterButIsBelowTheLimitInTime_IsNotSlow(long left, bool inTime)
    {
        Queue(Limit + 2);
        Pass(ConnectionOptions.SlowAfter - Tick);

        Take(2, left);

        Pass(Tick).Should().Be(!inTime);
    }

    [Theory]
    [InlineData(Quarter - 1, true)]
    [InlineData(Quarter, false)]
    public void IsTooSlow_MuchWaits_AQuarterOfTheLimitInTheTimeIsEnough(int taken, bool slow)
    {
        Queue(50L * Limit);

        Take(1, 50L * Limit);
        Take(taken - 1, 50L * Limit);

        Pass(ConnectionOptions.SlowAfter).Should().Be(slow);
    }

    [Fact]
    public void IsTooSlow_TookEnoughOnce_HasToTakeAsMuchInEachFurtherTime()
    {
        Queue(50L * Limit);
        for (var round = 0; round < 5; round++)
        {
            Take(Quarter, 50L * Limit);
            Pass(ConnectionOptions.SlowAfter).Should().BeFalse();
        }

        Pass(ConnectionOptions.SlowAfter - Tick).Should().BeFalse();
        Pass(Tick).Should().BeTrue("what it took before counts for that time alone");
    }

    [Fact]
    public void Queued_WhileItIsBehind_GivesNoNewTime()
    {
        Queue(Limit + 1);
        for (var part = 0; part < 3; part++)
        {
            Pass(ConnectionOptions.SlowAfter / 4).Should().BeFalse();
            Queue(Limit * (part + 2L));
        }

        Pass(ConnectionOptions.SlowAfter / 4).Should().BeTrue();
    }

    [Fact]
    public void Queued_PassesTheLimitAgainAfterItWasBelow_HasItsWholeTimeAgain()
    {
        Queue(Limit + 1);
        Pass(ConnectionOptions.SlowAfter - Tick);
        Take(1, Limit);
        Queue(10L * Limit);

        Pass(ConnectionOptions.SlowAfter - Tick).Should().BeFalse();
        Pass(Tick).Should().BeTrue();
    }

    [Fact]
    public void Queued_WhatWasTakenBeforeItFellBehind_DoesNotCount()
    {
        Queue(Limit);
        Take(Limit, 0);
        Queue(Limit + 1);

        Pass(ConnectionOptions.SlowAfter).Should().BeTrue();
    }

    private void Queue(long waiting) => _pace.Queued(waiting, Limit, _time);

    private void Take(int bytes, long left) => _pace.Took(bytes, left, Limit);

    /// <returns>Whether it counts as slow after that time.</returns>
    private bool Pass(TimeSpan time)
    {
        _time.Advance(time);
        return _pace.IsTooSlow(Limit, _time);
    }
}
