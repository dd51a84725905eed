using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace ChatServer.Quantum;

/// <summary>
/// The Polly pipelines around Quantum's API, from outside in: a limit for the whole, retries with exponential backoff and jitter that
/// honour Retry-After, a circuit breaker that spares a Quantum in trouble, a limit for each try.
/// </summary>
internal sealed class QuantumPipelines
{
    private readonly TimeProvider _time;

    public QuantumPipelines(QuantumOptions options, TimeProvider time)
    {
        _time = time;
        var breaker = new CircuitBreakerStrategyOptions<SaveOutcome>
        {
            ShouldHandle = Passing<SaveOutcome>(),
            FailureRatio = QuantumOptions.BreakerFailureRatio,
            MinimumThroughput = QuantumOptions.BreakerCalls,
            SamplingDuration = QuantumOptions.BreakerWindow,
            BreakDuration = QuantumOptions.BreakDuration,
        };
        Save = Build(options.TryTimeout, retries: QuantumOptions.TriesPerSave - 1, QuantumOptions.SaveRetryDelay, breaker);
        SaveFile = Build(
            options.TryTimeout + QuantumOptions.FileTime, retries: QuantumOptions.TriesPerSave - 1, QuantumOptions.SaveRetryDelay, breaker);
        Members = Build<IReadOnlyList<long>?>(
            options.TryTimeout, retries: QuantumOptions.TriesPerQuestion - 1, QuantumOptions.QuestionRetryDelay, null);
    }

    /// <summary>For saves. What it gives up on stays in the outbox and is tried again.</summary>
    public ResiliencePipeline<SaveOutcome> Save { get; }

    /// <summary>For saves that carry a file: the same with more time for a try, and a circuit of their own.</summary>
    public ResiliencePipeline<SaveOutcome> SaveFile { get; }

    /// <summary>For questions that a person waits for.</summary>
    public ResiliencePipeline<IReadOnlyList<long>?> Members { get; }

    private ResiliencePipeline<T> Build<T>(TimeSpan tryTimeout, int retries, TimeSpan delay, CircuitBreakerStrategyOptions<T>? breaker)
    {
        var builder = new ResiliencePipelineBuilder<T> { TimeProvider = _time }
            .AddTimeout((tryTimeout * (retries + 1)) + QuantumOptions.MaxRetryAfter)
            .AddRetry(new RetryStrategyOptions<T>
            {
                ShouldHandle = Passing<T>(),
                MaxRetryAttempts = retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = delay,
                MaxDelay = QuantumOptions.MaxRetryDelay,
                DelayGenerator = static arguments =>
                    new((arguments.Outcome.Exception as QuantumUnavailableException)?.RetryAfter is { } after
                    ? after < QuantumOptions.MaxRetryAfter ? after : QuantumOptions.MaxRetryAfter
                    : (TimeSpan?)null),
            });
        if (breaker is not null)
        {
            builder.AddCircuitBreaker(breaker);
        }

        return builder.AddTimeout(tryTimeout).Build();
    }

    /// <summary>The failures after which another try may succeed.</summary>
    private static PredicateBuilder<T> Passing<T>() =>
        new PredicateBuilder<T>().Handle<QuantumUnavailableException>().Handle<TimeoutRejectedException>();
}
