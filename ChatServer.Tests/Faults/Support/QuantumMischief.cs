using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Tests.Faults.Support;

/// <summary>What may be wrong with Quantum itself: for everybody, or for one company, which the others must not notice.</summary>
internal static class QuantumMischief
{
    /// <summary>Long enough that some of the others' messages have had all the time that a save may take.</summary>
    private static readonly TimeSpan TroubleOfATenant = Checker.SaveWithin + TimeSpan.FromSeconds(4);

    private const int HotMessages = 300;

    public static async Task FailAsync(QuantumServer quantum, TimeSpan time, double share)
    {
        var failing = new Random(1);
        await InsteadAsync(quantum, time, async (_, context) =>
        {
            double chance;
            lock (failing)
            {
                chance = failing.NextDouble();
            }

            // Some fail before the row is made, some are just slow.
            await Task.Delay(TimeSpan.FromMilliseconds(100 * chance), context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.Response.StatusCode = chance < share ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
            return chance < share;
        });
    }

    /// <summary>Quantum does not answer for one company.</summary>
    public static Task HangAsync(FaultSite site, long company) => TroubleAsync(site, company, async context =>
    {
        await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    });

    public static Task ThrottleAsync(FaultSite site, long company) => TroubleAsync(site, company, context =>
    {
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        context.Response.Headers.RetryAfter = "1";
        return Task.FromResult(true);
    });

    /// <summary>A room gets more than Quantum can save at that pace.</summary>
    public static Task HeatAsync(FaultSite site, long company)
    {
        var writer = site.Clients.First(client => client.Who.Company == company);
        writer.Burst(writer.Who.Rooms[0], HotMessages, areLarge: false);
        return TroubleAsync(site, company, async _ =>
        {
            await Task.Delay(50);
            return false;
        });
    }

    /// <summary>Begins when all is well, and has the others' saves watched.</summary>
    private static async Task TroubleAsync(FaultSite site, long troubled, Func<HttpContext, Task<bool>> answerAsync)
    {
        await site.CalmAsync();
        var others = FaultSite.Companies.Where(company => company != troubled);
        await site.WatchAsync(others, () => InsteadAsync(
            site.Quantum, TroubleOfATenant, async (call, context) => call.Company == troubled && await answerAsync(context)));
    }

    private static async Task InsteadAsync(QuantumServer quantum, TimeSpan time, Func<SaveCall, HttpContext, Task<bool>> answer)
    {
        quantum.Instead = answer;
        await Task.Delay(time);
        quantum.Instead = (_, _) => Task.FromResult(false);
    }
}
