using ChatServer.Rooms;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace ChatServer.Persist;

/// <summary>
/// The Polly pipelines around Quantum's API, from outside in: a limit for the whole, retries with exponential backoff and jitter that honour Retry-After,
/// a circuit breaker that spares a Quantum in trouble, a limit for each try.
/// </summary>
internal sealed class QuantumPipelines
{
    /// <summary>How often one run of <see cref="Save"/> asks Quantum before it gives up.</summary>
    public const int TriesPerSave = 5;

    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FileTime = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;

    public QuantumPipelines(PersistOptions options, TimeProvider time)
    {
        _time = time;
        var breaker = new CircuitBreakerStrategyOptions<SaveOutcome>
        {
            ShouldHandle = Passing<SaveOutcome>(),
            FailureRatio = 0.5,
            MinimumThroughput = 10,
            SamplingDuration = TimeSpan.FromSeconds(10),
            BreakDuration = Break,
        };
        Save = Build(options.TryTimeout, retries: TriesPerSave - 1, TimeSpan.FromMilliseconds(200), breaker);
        SaveFile = Build(options.TryTimeout + FileTime, retries: TriesPerSave - 1, TimeSpan.FromMilliseconds(200), breaker);
        Members = Build<IReadOnlyList<long>?>(options.TryTimeout, retries: 1, TimeSpan.FromMilliseconds(100), null);
    }

    /// <summary>For saves. What it gives up on stays in the outbox and is begun again.</summary>
    public ResiliencePipeline<SaveOutcome> Save { get; }

    /// <summary>For saves that carry a file: the same with more time for a try, and a circuit of their own.</summary>
    public ResiliencePipeline<SaveOutcome> SaveFile { get; }

    /// <summary>For questions that a person waits for.</summary>
    public ResiliencePipeline<IReadOnlyList<long>?> Members { get; }

    private ResiliencePipeline<T> Build<T>(TimeSpan tryTimeout, int retries, TimeSpan delay, CircuitBreakerStrategyOptions<T>? breaker)
    {
        var builder = new ResiliencePipelineBuilder<T> { TimeProvider = _time }
            .AddTimeout((tryTimeout * (retries + 1)) + LongestRetryAfter)
            .AddRetry(new RetryStrategyOptions<T>
            {
                ShouldHandle = Passing<T>(),
                MaxRetryAttempts = retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = delay,
                MaxDelay = TimeSpan.FromSeconds(10),
                DelayGenerator = static arguments => new((arguments.Outcome.Exception as QuantumUnavailableException)?.RetryAfter is { } after
                    ? after < LongestRetryAfter ? after : LongestRetryAfter
                    : (TimeSpan?)null),
            });
        if (breaker is not null)
        {
            builder.AddCircuitBreaker(breaker);
        }

        return builder.AddTimeout(tryTimeout).Build();
    }

    /// <summary>What may go better the next time.</summary>
    private static PredicateBuilder<T> Passing<T>() => new PredicateBuilder<T>().Handle<QuantumUnavailableException>().Handle<TimeoutRejectedException>();
}
