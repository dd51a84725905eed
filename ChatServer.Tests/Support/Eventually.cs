using System.Net.Sockets;

namespace ChatServer.Tests.Support;

/// <summary>Waits for what happens in the background, with a limit.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Checks again and again until it is so; the test fails if it never is.</summary>
    public static async Task TrueAsync(Func<bool> condition, TimeSpan within, Func<string> what)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !condition();)
        {
            TimeProvider.System.GetElapsedTime(start).Should().BeLessThan(within, "{0}", what());
            await Task.Delay(10);
        }
    }

    /// <summary>Asks again and again until the server accepts connections.</summary>
    /// <exception cref="TimeoutException">It never did, or it is gone; the message holds what it wrote.</exception>
    public static async Task<T> AnswerAsync<T>(Func<Task<T>> ask, Func<bool> isGone, Func<string> output)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !isGone() && TimeProvider.System.GetElapsedTime(start) < Limit;)
        {
            try
            {
                return await ask().WaitAsync(Limit);
            }
            catch (Exception error) when (error is SocketException or HttpRequestException)
            {
                await Task.Delay(50);
            }
        }

        throw new TimeoutException($"The server did not start:\n{output()}");
    }
}
