using ChatServer.Requests;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Requests;

public sealed class RateLimiterTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Take_ABurst_PassesThenIsRefused()
    {
        var limiter = new RateLimiter(new RequestOptions(1024, RateLimit: 20, RateBurst: 60), _time);

        Take(limiter, 60).Should().AllBeEquivalentTo(RateVerdict.Pass);
        limiter.Take().Should().Be(RateVerdict.Refuse);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        limiter.Take().Should().Be(RateVerdict.Pass);
        limiter.Take().Should().Be(RateVerdict.Refuse);
    }

    [Fact]
    public void Take_AtTheLimit_PassesForEver()
    {
        var limiter = new RateLimiter(new RequestOptions(1024, RateLimit: 20, RateBurst: 1), _time);
        for (var count = 0; count < 1000; count++)
        {
            limiter.Take().Should().Be(RateVerdict.Pass);
            _time.Advance(TimeSpan.FromMilliseconds(50.001));
        }
    }

    [Fact]
    public void Take_AfterALongPause_HasOneBurstAndNotMore()
    {
        var limiter = new RateLimiter(new RequestOptions(1024, RateLimit: 20, RateBurst: 60), _time);
        _time.Advance(TimeSpan.FromDays(30));

        Take(limiter, 61).Count(verdict => verdict == RateVerdict.Pass).Should().Be(60);
    }

    [Fact]
    public void Take_GoesOnAfterRefusals_IsClosed()
    {
        var limiter = new RateLimiter(new RequestOptions(1024, RateLimit: 20, RateBurst: 60), _time);
        Take(limiter, 60);

        Take(limiter, 60).Should().AllBeEquivalentTo(RateVerdict.Refuse);
        limiter.Take().Should().Be(RateVerdict.Close);
    }

    [Fact]
    public void Take_SlowsDownForAWhile_BeginsAnew()
    {
        var limiter = new RateLimiter(new RequestOptions(1024, RateLimit: 20, RateBurst: 60), _time);
        for (var round = 0; round < 20; round++)
        {
            Take(limiter, 100).Should().NotContain(RateVerdict.Close);
            _time.Advance(TimeSpan.FromSeconds(3));
        }
    }

    [Fact]
    public void Take_ATrickleBetweenRefusals_IsNoSlowingDown()
    {
        var limiter = new RateLimiter(new RequestOptions(1024, RateLimit: 20, RateBurst: 60), _time);
        var verdicts = new List<RateVerdict>();
        for (var count = 0; count < 2000; count++)
        {
            verdicts.Add(limiter.Take());
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }

        verdicts.Should().Contain(RateVerdict.Close, "five times the limit for 20 s is no mistake");
    }

    [Fact]
    public void Take_LimitZero_AlwaysPasses() =>
        Take(new RateLimiter(new RequestOptions(1024, RateLimit: 0, RateBurst: 1), _time), 10_000).Should()
            .AllBeEquivalentTo(RateVerdict.Pass);

    private static List<RateVerdict> Take(RateLimiter limiter, int count) => [.. Enumerable.Range(0, count).Select(_ => limiter.Take())];
}
