namespace ChatServer.Redis;

/// <summary>Repeats what failed because Redis was out of reach.</summary>
internal static class RedisRetry
{
    /// <summary>
    /// Runs a step until it succeeds, with a pause after each time that Redis was out of reach. Also returns when it is cancelled;
    /// any other exception of the step ends it.
    /// </summary>
    /// <param name="pause">Asked for the length of each pause.</param>
    /// <param name="failed">Called for each failure, before the pause.</param>
    public static async Task UntilDoneAsync(
        Func<Task> stepAsync, Func<TimeSpan> pause, TimeProvider time, Action<RedisUnavailableException>? failed = null,
        CancellationToken cancellation = default)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await stepAsync();
                return;
            }
            catch (RedisUnavailableException exception)
            {
                failed?.Invoke(exception);
                await Task.Delay(pause(), time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
        }
    }
}
