using System.IO.Pipelines;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>
/// How large a buffer to receive into. It grows while buffers come back full, because StackExchange.Redis parses an unfinished reply
/// from its start each time that more of it arrives: fewer, larger pieces spare it most of that. It shrinks again after.
/// </summary>
internal sealed class ReceiveSize(PipeOptions options)
{
    // Arrays of 85,000 bytes and more would live among the large objects.
    private const int Most = 64 * 1024;
    private readonly int _least = Math.Max(1, options.MinimumSegmentSize / 2);
    private readonly int _most = Math.Max(1, Math.Min(Most, options.Pool.MaxBufferSize));

    /// <summary>The least bytes to ask for; half a segment at first, so that the rest of a segment is used before a new one.</summary>
    public int Next { get; private set; } = Math.Max(1, options.MinimumSegmentSize / 2);

    /// <summary>Learns from a receive.</summary>
    public void Received(int bytes)
    {
        if (bytes >= Next)
        {
            Next = Math.Min(Next * 2, _most);
        }
        else if (bytes < Next / 4)
        {
            Next = Math.Max(Next / 2, _least);
        }
    }
}
