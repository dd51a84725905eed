using ChatServer.Embedded;
using ChatServer.Sessions;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Embedded;

public sealed class MemorySessionStoreTests
{
    private static readonly SessionKey Key = new("abc", 3, 7);

    private readonly FakeTimeProvider _time = new();
    private readonly MemorySessionStore _store;

    public MemorySessionStoreTests() => _store = new MemorySessionStore(_time);

    [Fact]
    public async Task FindAsync_Stored_GivesValueAndTimeLeft()
    {
        _store.Put(Key, "x"u8.ToArray(), TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(20));

        var found = await _store.FindAsync(new SessionKey("abc", 3, 7), default);

        found!.Value.Value.ToArray().Should().Equal("x"u8.ToArray());
        found.Value.TimeToLive.Should().Be(TimeSpan.FromSeconds(40));
    }

    [Fact]
    public async Task FindAsync_UnknownExpiredOrRemoved_IsNull()
    {
        (await _store.FindAsync(Key, default)).Should().BeNull();

        _store.Put(Key, "x"u8.ToArray(), TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(60));
        (await _store.FindAsync(Key, default)).Should().BeNull();
        _store.Remove(Key).Should().BeFalse();

        _store.Put(Key, "x"u8.ToArray(), TimeSpan.FromSeconds(60));
        _store.Remove(Key).Should().BeTrue();
        _store.Remove(Key).Should().BeFalse();
        (await _store.FindAsync(Key, default)).Should().BeNull();
    }

    [Fact]
    public async Task Put_Again_Renews()
    {
        _store.Put(Key, "x"u8.ToArray(), TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(59));
        _store.Put(Key, "y"u8.ToArray(), TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(59));

        (await _store.FindAsync(Key, default))!.Value.Value.ToArray().Should().Equal("y"u8.ToArray());
    }
}
