using System.Globalization;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>What chooses a long run.</summary>
internal static class FuzzSettings
{
    public static (int Seed, TimeSpan Time) Read() =>
        (Number("CHAT_FUZZ_SEED") ?? Random.Shared.Next(1, 1_000_000), TimeSpan.FromSeconds(Number("CHAT_FUZZ_SECONDS") ?? 120));

    private static int? Number(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
