using System.Diagnostics;

namespace ChatServer.Tests.Support;

/// <summary>Waits for what comes about by itself, never for longer than it may take.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, TimeSpan within, Func<string> what)
    {
        var waiting = Stopwatch.StartNew();
        while (!condition())
        {
            waiting.Elapsed.Should().BeLessThan(within, "{0}", what());
            await Task.Delay(10);
        }
    }
}
