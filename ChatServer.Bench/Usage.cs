using ChatServer.Bench.Files;
using ChatServer.Bench.Load;
using ChatServer.Bench.Saving;
using ChatServer.Bench.Soak;

namespace ChatServer.Bench;

/// <summary>What this program can do for people; its other roles it gives to itself.</summary>
internal static class Usage
{
    public static string Text { get; } = $"""
        {LoadOptions.Usage}
        {SavesOptions.Usage}
        {SoakOptions.Usage}
        {FilesCommand.Usage}
          20 MiB over the WebSocket and back over HTTP, beside the same bytes through a bare Kestrel endpoint
        Usage: dotnet run -c Release --project ChatServer.Bench -- micro [options of BenchmarkDotNet, such as --filter *Frame*]
        """;
}
