namespace Pipelines.Sockets.Unofficial.Arenas;

/// <summary>
/// Choices about an arena's memory, numbered as in the official package. Here an arena is made of ordinary arrays, which is what these
/// choices come down to for elements that hold references, as StackExchange.Redis's do.
/// </summary>
[Flags]
public enum ArenaFlags
{
    /// <summary>No choice.</summary>
    None = 0,

    /// <summary>Elements are cleared at each reset.</summary>
    ClearAtReset = 1,

    /// <summary>Elements are cleared when the arena is disposed.</summary>
    ClearAtDispose = 2,

    /// <summary>Unmanaged memory where the elements allow it.</summary>
    PreferUnmanaged = 4,

    /// <summary>Pinned memory.</summary>
    PreferPinned = 8,

    /// <summary>Elements of one size may share blocks.</summary>
    BlittableNonPaddedSharing = 16,

    /// <summary>Elements of any size may share blocks.</summary>
    BlittablePaddedSharing = 32,
}
