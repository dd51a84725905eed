namespace ChatServer.Bench.Drive;

/// <summary>The state of a connection of the generator.</summary>
internal enum Stage
{
    Upgrade,
    Login,
    Ready,
    Ended,
}

/// <summary>One connection of the generator.</summary>
/// <param name="index">Its place among all; its room is <paramref name="index"/> modulo the number of rooms.</param>
/// <param name="room">From 0.</param>
internal sealed class Connection(int index, int room)
{
    public int Index => index;

    public int Room => room;

    public Stage Stage { get; set; }

    /// <summary>The login step whose answer is awaited, from 0.</summary>
    public int Step { get; set; }

    /// <summary>Bytes that wait for the socket.</summary>
    public OutBuffer Out { get; } = new();

    /// <summary>The beginning of a frame whose end has not come yet.</summary>
    public byte[] Rest { get; set; } = [];

    /// <summary>The fragments of a message whose last one has not come yet.</summary>
    public List<byte>? Fragments { get; set; }

    /// <summary>A room's sender: the number of its last message, and of the last one that the next member has.</summary>
    public uint LastSent { get; set; }

    public uint LastReleased { get; set; }

    /// <summary>When its window last moved, in nanoseconds of the monotonic clock.</summary>
    public long MovedAt { get; set; }

    /// <summary>Whether it is in the list of those that have something to send.</summary>
    public bool IsDirty { get; set; }
}
