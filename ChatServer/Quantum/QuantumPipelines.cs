using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace ChatServer.Quantum;

/// <summary>
/// The Polly pipelines around Quantum's API. A question that a person waits for is asked again at once: from outside in a limit for the
/// whole, retries with exponential backoff and jitter that honour Retry-After, a limit for each try. A save has a limit alone: when it is
/// tried again is the outbox's affair, which keeps no place for it meanwhile.
/// </summary>
internal sealed class QuantumPipelines(QuantumOptions options, TimeProvider time)
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
            ShouldHandle = new PredicateBuilder<IReadOnlyList<long>?>().Handle<QuantumUnavailableException>()
                .Handle<TimeoutRejectedException>(),
            MaxRetryAttempts = QuantumOptions.TriesPerQuestion - 1,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = QuantumOptions.QuestionRetryDelay,
            DelayGenerator = static arguments => new(
                (arguments.Outcome.Exception as QuantumUnavailableException)?.RetryAfter is not { } after ? null
                : after < QuantumOptions.MaxQuestionDelay ? after
                : QuantumOptions.MaxQuestionDelay),
        })
        .AddTimeout(options.TryTimeout)
        .Build();

    private static ResiliencePipelineBuilder<T> New<T>(TimeProvider time) => new() { TimeProvider = time };
}
