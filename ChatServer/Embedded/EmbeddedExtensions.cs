using ChatServer.Backplane;
using ChatServer.Files;
using ChatServer.Outbox;
using ChatServer.Sessions;

namespace ChatServer.Embedded;

/// <summary>Adds the in-memory implementations: one process, nothing survives a restart.</summary>
internal static class EmbeddedExtensions
{
    public static IServiceCollection AddEmbedded(this IServiceCollection services) =>
        services.AddSingleton<MemorySessionStore>()
            .AddSingleton<ISessionStore>(provider => provider.GetRequiredService<MemorySessionStore>())
            .AddSingleton<MemoryOutbox>()
            .AddSingleton<IOutbox>(provider => provider.GetRequiredService<MemoryOutbox>())
            .AddSingleton<IBackplane, MemoryBackplane>()
            .AddSingleton<IFileStore, MemoryFileStore>()
            .AddSingleton<IUploadQuota, MemoryUploadQuota>();
}
