namespace ChatServer.Connections;

/// <summary>
/// A rented buffer that several peers' queues refer to instead of copying from it; it goes back when the last of them, and who filled it,
/// has let go. All of a process together are at most <see cref="ConnectionOptions.MaxSharedBytes"/>. Thread-safe.
/// </summary>
internal sealed class SharedBytes
{
    private static long _allBytes;

    private int _holders = 1;

    private SharedBytes(byte[] buffer) => Buffer = buffer;

    public byte[] Buffer { get; }

    /// <param name="buffer">Rented from <see cref="SendBuffers"/>; its owner is the first holder.</param>
    /// <param name="most">How many bytes all together may be.</param>
    /// <returns>Null if it would be more; the buffer is the owner's as before.</returns>
    public static SharedBytes? TryMake(byte[] buffer, long most = ConnectionOptions.MaxSharedBytes)
    {
        if (Interlocked.Add(ref _allBytes, buffer.Length) <= most)
        {
            return new(buffer);
        }

        Interlocked.Add(ref _allBytes, -buffer.Length);
        return null;
    }

    /// <summary>One more holder. Only for one who got it from somebody who has not let go yet.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    public void LetGo()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Interlocked.Add(ref _allBytes, -Buffer.Length);
            SendBuffers.Return(Buffer);
        }
    }
}
