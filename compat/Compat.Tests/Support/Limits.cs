namespace Compat.Tests.Support;

/// <summary>How long a test waits for what should happen at once, or at least soon.</summary>
internal static class Limits
{
    public static readonly TimeSpan Short = TimeSpan.FromSeconds(10);

    public static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    /// <summary>Waits until <paramref name="condition"/> holds.</summary>
    /// <exception cref="TimeoutException">It did not within <see cref="Short"/>.</exception>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(Short);
        while (!condition())
        {
            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"This did not come about: {what}.");
            }

            await Task.Delay(5);
        }
    }
}
