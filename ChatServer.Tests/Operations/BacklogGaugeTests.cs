using ChatServer.Embedded;
using ChatServer.Operations;
using ChatServer.Outbox;
using ChatServer.Redis;
using ChatServer.Tests.Outbox.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Operations;

public sealed class BacklogGaugeTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Read_ManyAskWithinASecond_TheOutboxIsAskedOnce()
    {
        var outbox = new CountedOutbox();
        var gauge = new BacklogGauge(outbox, _time);
        var first = gauge.ReadAsync();
        var second = gauge.ReadAsync();
        outbox.Answer.SetResult(new(3, 0, null));

        (await first).Waiting.Should().Be(3);
        (await second).Waiting.Should().Be(3);
        _time.Advance(BacklogGauge.Fresh - TimeSpan.FromTicks(1));
        await gauge.ReadAsync();
        outbox.Questions.Should().Be(1);
        _time.Advance(TimeSpan.FromTicks(1));
        await gauge.ReadAsync();
        outbox.Questions.Should().Be(2);
    }

    /// <summary>A question takes until its timeout then: those who ask meanwhile and right after it need not wait as long again.</summary>
    [Fact]
    public async Task Read_RedisIsAway_ThatIsAnAnswerForASecondToo()
    {
        var outbox = new CountedOutbox();
        var gauge = new BacklogGauge(outbox, _time);
        outbox.Answer.SetException(new RedisUnavailableException("away"));

        await gauge.Awaiting(asked => asked.ReadAsync()).Should().ThrowAsync<RedisUnavailableException>();
        await gauge.Awaiting(asked => asked.ReadAsync()).Should().ThrowAsync<RedisUnavailableException>();
        outbox.Questions.Should().Be(1);
        _time.Advance(BacklogGauge.Fresh);
        outbox.Answer = new();
        outbox.Answer.SetResult(new(0, 0, null));

        (await gauge.ReadAsync()).Waiting.Should().Be(0);
    }

    private sealed class CountedOutbox() : OutboxWrapper(new MemoryOutbox(TimeProvider.System))
    {
        public TaskCompletionSource<OutboxSize> Answer { get; set; } = new();

        public int Questions { get; private set; }

        public override ValueTask<OutboxSize> SizeAsync()
        {
            Questions++;
            return new(Answer.Task);
        }
    }
}
