namespace ChatServer.Requests;

/// <summary>What a frame's arrival means under the rate limit.</summary>
internal enum RateVerdict
{
    Pass,
    Refuse,

    /// <summary>The client went on after as many refusals as a burst holds.</summary>
    Close,
}

/// <summary>A token bucket for one connection, used by its receiving loop alone.</summary>
internal sealed class RateLimiter(RequestOptions options, TimeProvider time)
{
    private double _tokens = options.RateBurst;
    private long _at = time.GetTimestamp();
    private int _refused;

    public RateVerdict Take()
    {
        if (options.RateLimit == 0)
        {
            return RateVerdict.Pass;
        }

        var now = time.GetTimestamp();
        _tokens = Math.Min(options.RateBurst, _tokens + (time.GetElapsedTime(_at, now).TotalSeconds * options.RateLimit));
        _at = now;
        if (_tokens >= options.RateBurst / 2.0)
        {
            // It has really slowed down; a few frames between refusals don't count as that.
            _refused = 0;
        }

        if (_tokens >= 1)
        {
            _tokens--;
            return RateVerdict.Pass;
        }

        return ++_refused > options.RateBurst ? RateVerdict.Close : RateVerdict.Refuse;
    }
}
