using ChatServer.Sessions;
using ChatServer.Users;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Users;

public sealed class EndedSessionsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly EndedSessions _ended;

    public EndedSessionsTests() => _ended = new(_time);

    [Fact]
    public void Contains_UntilItIsForgotten()
    {
        _ended.Add(Key(1));
        _ended.Contains(Key(2)).Should().BeFalse();
        _time.Advance(SessionOptions.EndRemembered - TimeSpan.FromTicks(1));
        _ended.Contains(Key(1)).Should().BeTrue();

        _time.Advance(TimeSpan.FromTicks(1));

        _ended.Contains(Key(1)).Should().BeFalse();
    }

    [Fact]
    public void Add_ToldTwice_TheLastTimeCounts()
    {
        _ended.Add(Key(1));
        _time.Advance(SessionOptions.EndRemembered / 2);
        _ended.Add(Key(1));
        _time.Advance(SessionOptions.EndRemembered / 2);
        _ended.Contains(Key(1)).Should().BeTrue();

        _time.Advance(SessionOptions.EndRemembered / 2);

        _ended.Contains(Key(1)).Should().BeFalse();
    }

    [Fact]
    public void Add_MoreThanAreRemembered_ForgetsTheOldest()
    {
        for (var user = 1; user <= SessionOptions.MaxEndsRemembered + 1; user++)
        {
            _ended.Add(Key(user));
        }

        _ended.Contains(Key(1)).Should().BeFalse();
        _ended.Contains(Key(2)).Should().BeTrue();
        _ended.Contains(Key(SessionOptions.MaxEndsRemembered + 1)).Should().BeTrue();
    }

    private static SessionKey Key(long user) => new("s", 3, user);
}
