namespace Pipelines.Sockets.Unofficial.Arenas;

/// <summary>Settings of an <see cref="Arena{T}"/>.</summary>
/// <param name="flags">Kept for the signature: see <see cref="ArenaFlags"/>.</param>
/// <param name="blockSizeBytes">The size of a block in bytes; 0 for 64 KiB.</param>
/// <param name="retentionPolicy">Kept for the signature; what an arena keeps is told at <see cref="Arena{T}.Reset"/>.</param>
public sealed class ArenaOptions(
    ArenaFlags flags = ArenaFlags.BlittableNonPaddedSharing, int blockSizeBytes = 0, Func<long, long, long>? retentionPolicy = null)
{
    /// <summary>The choices given.</summary>
    public ArenaFlags Flags { get; } = flags;

    /// <summary>The size of a block in bytes; 0 for 64 KiB.</summary>
    public int BlockSizeBytes { get; } = blockSizeBytes;

    /// <summary>The policy given.</summary>
    public Func<long, long, long>? RetentionPolicy { get; } = retentionPolicy;
}
