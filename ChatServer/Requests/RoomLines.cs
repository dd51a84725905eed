using System.Diagnostics.CodeAnalysis;

namespace ChatServer.Requests;

/// <summary>
/// What a client has sent for rooms that it is still entering: each such room has a line, in which its frames wait in their order until the
/// client is in, while those of other rooms go on. Who enters a room for the client does so beside its loop; while there are lines, whoever
/// uses the client's state has to have its turn.
/// </summary>
/// <param name="turn">Of one; it is taken and released here alone.</param>
/// <param name="maxBytes">What may wait in all lines together; a single frame always may.</param>
internal sealed class RoomLines(SemaphoreSlim turn, int maxBytes)
{
    /// <summary>What a frame counts beside its bytes.</summary>
    private const int FrameWeight = 64;

    private readonly Dictionary<long, Queue<byte[]>> _lines = [];
    private int _count;
    private long _waitingBytes;

    /// <summary>How many rooms are being entered; at 0 only the client's loop uses its state.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The room in whose line the announcement of a file waits; 0: none.</summary>
    public long FileRoom { get; private set; }

    /// <summary>Waits until nobody else uses the client's state; <see cref="EndTurn"/> has to follow.</summary>
    public Task TakeTurnAsync() => turn.WaitAsync();

    public void EndTurn() => turn.Release();

    /// <summary>Opens a line, with the turn. <see cref="Close"/> and <see cref="End"/> have to follow.</summary>
    public void Open(long roomId)
    {
        _lines.Add(roomId, new());
        Interlocked.Increment(ref _count);
    }

    /// <summary>Whether a room has a line; with the turn.</summary>
    public bool Has(long roomId) => _lines.ContainsKey(roomId);

    /// <summary>Puts a frame at the end of a room's line, with the turn.</summary>
    /// <returns>False if too much waits already.</returns>
    public bool TryAdd(long roomId, ReadOnlySpan<byte> frame, bool isFile)
    {
        var weight = frame.Length + FrameWeight;
        if (_waitingBytes > 0 && _waitingBytes + weight > maxBytes)
        {
            return false;
        }

        _waitingBytes += weight;
        _lines[roomId].Enqueue(frame.ToArray());
        FileRoom = isFile ? roomId : FileRoom;
        return true;
    }

    /// <summary>Takes the frame at the head of a room's line, with the turn.</summary>
    public bool TryTake(long roomId, [NotNullWhen(true)] out byte[]? frame)
    {
        if (!_lines[roomId].TryDequeue(out frame))
        {
            return false;
        }

        _waitingBytes -= frame.Length + FrameWeight;
        return true;
    }

    /// <summary>The client is in, or not, and nothing waits; with the turn.</summary>
    public void Close(long roomId)
    {
        _lines.Remove(roomId);
        FileRoom = FileRoom == roomId ? 0 : FileRoom;
    }

    /// <summary>Who has closed a line has had its last turn.</summary>
    public void End() => Interlocked.Decrement(ref _count);
}
