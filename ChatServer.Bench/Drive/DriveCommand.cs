using System.Text.Json;

namespace ChatServer.Bench.Drive;

/// <summary>The generator as a process: a plan comes as the argument, and lines go out: "window", "end", and the result as JSON.</summary>
internal static class DriveCommand
{
    public static async Task<int> RunAsync(string plan)
    {
        using var generator = new Generator(
            JsonSerializer.Deserialize<Plan>(plan) ?? throw new ArgumentException("The plan is null.", nameof(plan)),
            line =>
            {
                Console.Out.WriteLine(line);
                Console.Out.Flush();
            });
        try
        {
            await Console.Out.WriteLineAsync(JsonSerializer.Serialize(generator.Run()));
            return 0;
        }
        catch (InvalidOperationException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
    }
}
