using ChatServer.Outbox;

namespace ChatServer.Tests.Outbox;

public sealed class SaveTroubleTests
{
    private readonly SaveTrouble _trouble = new("1-0", saved: 10);

    [Fact]
    public void Failed_WhileNobodyIsSaved_CountsNoAttemptsAndPausesShortly()
    {
        for (var time = 0; time < 100; time++)
        {
            _trouble.Failed(new("away"), savedNow: 10);
        }

        _trouble.Attempts.Should().Be(0);
        _trouble.Pause.Should().BeCloseTo(OutboxOptions.MaxPauseInOutage, OutboxOptions.MaxPauseInOutage / 2);
    }

    [Fact]
    public void Failed_WhileOthersAreSaved_CountsEachCallAndPausesLongerAndLonger()
    {
        var pauses = new List<TimeSpan>();
        for (var time = 1; time <= 12; time++)
        {
            _trouble.Failed(new("broken"), savedNow: 10 + time);
            pauses.Add(_trouble.Pause);
        }

        _trouble.Attempts.Should().Be(12);
        pauses[0].Should().BeLessThan(TimeSpan.FromSeconds(0.5));
        pauses[5].Should().BeCloseTo(OutboxOptions.FirstPause * 32, OutboxOptions.FirstPause * 16);
        pauses[^1].Should().BeCloseTo(OutboxOptions.MaxPause, OutboxOptions.MaxPause / 2);
    }

    [Fact]
    public void Failed_Throttled_NeverCounts()
    {
        _trouble.Failed(new("slowly") { IsThrottled = true }, savedNow: 11);
        _trouble.Failed(new("slowly") { IsThrottled = true, RetryAfter = TimeSpan.FromSeconds(1) }, savedNow: 12);
        _trouble.Attempts.Should().Be(0);

        _trouble.Failed(new("broken"), savedNow: 13);
        _trouble.Attempts.Should().Be(1);
    }

    [Fact]
    public void FailedTogether_WhileOthersAreSaved_NeverCountsAndIsTriedSoon()
    {
        for (var time = 1; time <= 5; time++)
        {
            _trouble.FailedTogether(new("broken"), savedNow: 10 + time);
            _trouble.Pause.Should().BeLessThan(OutboxOptions.FirstPause * 2, "alone it may be saved");
        }

        _trouble.FailedTogether(new("later") { RetryAfter = TimeSpan.FromSeconds(30) }, savedNow: 16);
        _trouble.Pause.Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(30));
        _trouble.Attempts.Should().Be(0);
    }

    [Theory]
    [InlineData(0, 0.25)]
    [InlineData(2, 2)]
    [InlineData(1200, 1200)]
    [InlineData(3600, 3600)]
    [InlineData(86400, 3600)]
    public void Failed_RetryAfter_IsHonouredInFullUpToAnHour(int told, double seconds)
    {
        _trouble.Failed(new("later") { RetryAfter = TimeSpan.FromSeconds(told) }, savedNow: 10);

        _trouble.Pause.Should().BeGreaterThanOrEqualTo(TimeSpan.FromSeconds(seconds))
            .And.BeLessThanOrEqualTo(TimeSpan.FromSeconds(seconds) + OutboxOptions.RetryAfterJitter);
    }
}
