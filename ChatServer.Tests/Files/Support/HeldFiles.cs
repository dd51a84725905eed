using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files.Support;

/// <summary>What of files is in Redis.</summary>
internal static class HeldFiles
{
    public static IReadOnlyList<string> FileKeys(this ChatFixture chat) =>
        [.. chat.Connection.GetServer(chat.Redis.Endpoint).Keys(pattern: "chat:{*}:file:*").Select(key => (string)key!)];

    /// <summary>Waits until that many files are there.</summary>
    public static Task FilesAsync(this ChatFixture chat, int count) =>
        Eventually.TrueAsync(
            () => chat.FileKeys().Count == count, TimeSpan.FromSeconds(5), () => $"{chat.FileKeys().Count} files are held, not {count}");
}
