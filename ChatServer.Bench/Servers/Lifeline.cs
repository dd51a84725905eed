using Microsoft.AspNetCore.Builder;

namespace ChatServer.Bench.Servers;

/// <summary>Servers of this program end when the one that started them does: their standard input ends then.</summary>
internal static class Lifeline
{
    public static async Task RunAsync(WebApplication app)
    {
        await using (app)
        {
            await app.StartAsync();
            var input = new byte[16];
            await using var stdin = Console.OpenStandardInput();
            while (await stdin.ReadAsync(input) > 0)
            {
                // Nobody has anything to say here; only the end matters.
            }
        }
    }
}
