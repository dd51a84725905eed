namespace ChatServer.Redis;

/// <summary>Repeats what Redis had no part in yet.</summary>
internal static class RedisRetry
{
    /// <summary>
    /// Runs a step until it ends well, with a pause after each time that Redis was out of reach. Returns as well when it is cancelled;
    /// any other exception of the step ends it.
    /// </summary>
    /// <param name="pause">Asked for the length of each pause.</param>
    /// <param name="failed">Hears of each failure before the pause.</param>
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
