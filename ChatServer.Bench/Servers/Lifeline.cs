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
            await EndOfInput();
        }
    }

    /// <summary>On a thread of its own: a read from the console blocks, and a pool of one core has no thread to spare for that.</summary>
    private static Task EndOfInput()
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reader = new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            input.CopyTo(Stream.Null);
            ended.SetResult();
        })
        { IsBackground = true };
        reader.Start();
        return ended.Task;
    }
}
