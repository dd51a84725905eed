using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace ChatServer.Quantum;

/// <summary>
/// The Polly pipelines around Quantum's API. A question that a person waits for is asked again at once: from outside in a limit for the
/// whole, retries with exponential backoff and jitter that honour Retry-After; for each try, once it has a slot, a breaker and a limit. A
/// save has a limit alone: when it is tried again is the outbox's affair, which keeps no place for it meanwhile.
/// </summary>
internal sealed partial class QuantumPipelines(QuantumOptions options, TimeProvider time, ILogger<QuantumPipelines> logger)
{
    /// <summary>For saves.</summary>
    public ResiliencePipeline<SaveOutcome> Save { get; } = New<SaveOutcome>(time).AddTimeout(options.TryTimeout).Build();

    /// <summary>For saves that carry a file.</summary>
    public ResiliencePipeline<SaveOutcome> SaveFile { get; } =
        New<SaveOutcome>(time).AddTimeout(options.TryTimeout + QuantumOptions.FileTime).Build();

    /// <summary>For calls that save many messages.</summary>
    public ResiliencePipeline<BatchOutcome> SaveMany { get; } = New<BatchOutcome>(time).AddTimeout(options.TryTimeout).Build();

    /// <summary>For questions that a person waits for.</summary>
    public ResiliencePipeline<IReadOnlyList<long>?> Members { get; } = New<IReadOnlyList<long>?>(time)
        .AddTimeout((options.TryTimeout * QuantumOptions.TriesPerQuestion) + QuantumOptions.MaxQuestionDelay)
        .AddRetry(new RetryStrategyOptions<IReadOnlyList<long>?>
        {
            ShouldHandle = new PredicateBuilder<IReadOnlyList<long>?>().Handle<QuantumUnavailableException>(
                exception => exception.InnerException is not BrokenCircuitException),
            MaxRetryAttempts = QuantumOptions.TriesPerQuestion - 1,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = QuantumOptions.QuestionRetryDelay,
            DelayGenerator = static arguments => new(
                (arguments.Outcome.Exception as QuantumUnavailableException)?.RetryAfter is not { } after ? null
                : after < QuantumOptions.MaxQuestionDelay ? after
                : QuantumOptions.MaxQuestionDelay),
        })
        .Build();

    /// <summary>
    /// For each try of such a question. If nearly all have failed for as long as a try may take, Quantum is left alone for a while, so that
    /// not everybody waits for it in vain; then one question tells whether it is back.
    /// </summary>
    public ResiliencePipeline<IReadOnlyList<long>?> MembersTry { get; } = New<IReadOnlyList<long>?>(time)
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<IReadOnlyList<long>?>
        {
            ShouldHandle = new PredicateBuilder<IReadOnlyList<long>?>()
                .Handle<QuantumUnavailableException>(exception => exception is { IsRefusal: false, IsThrottled: false })
                .Handle<TimeoutRejectedException>(),
            FailureRatio = QuantumOptions.QuestionFailureRatio,
            MinimumThroughput = QuantumOptions.QuestionsThatTell,
            SamplingDuration = options.TryTimeout,
            BreakDuration = QuantumOptions.QuestionRest,
            OnOpened = _ =>
            {
                Log.LeftAlone(logger, QuantumOptions.QuestionRest.TotalSeconds);
                return default;
            },
            OnClosed = _ =>
            {
                Log.Back(logger);
                return default;
            },
        })
        .AddTimeout(options.TryTimeout)
        .Build();

    private static ResiliencePipelineBuilder<T> New<T>(TimeProvider time) => new() { TimeProvider = time };

    private static partial class Log
    {
        [LoggerMessage(700, LogLevel.Warning,
            "Quantum does not answer questions for rooms' members. It is asked again after {Seconds} s; until then lists count that are up to "
            + "an hour old, and joins of other rooms are answered unavailable.")]
        public static partial void LeftAlone(ILogger logger, double seconds);

        [LoggerMessage(701, LogLevel.Information, "Quantum answers questions for rooms' members again.")]
        public static partial void Back(ILogger logger);
    }
}
