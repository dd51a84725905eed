using System.Buffers.Binary;
using System.Text.Json.Nodes;
using ChatServer.Connections;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;

namespace ChatServer.Tests.Connections.Support;

/// <summary>A peer without a network: it takes everything at once, or nothing at all while it is stalled.</summary>
/// <param name="limitBytes">The most bytes of its own that may wait.</param>
/// <param name="time">Measures the peer's pace and the grace of closing.</param>
/// <param name="queuesFirst">Whether nothing leaves on the sender's thread, as over TLS.</param>
internal sealed class RecordingOutbound(int limitBytes = int.MaxValue, TimeProvider? time = null, bool queuesFirst = false)
    : Outbound(limitBytes, time)
{
    private readonly Lock _recording = new();
    private readonly MemoryStream _bytes = new();
    private TaskCompletionSource _flowing = Flowing();

    /// <summary>What has left so far; a frame of which a part has left is not there yet.</summary>
    public IReadOnlyList<(Opcode Opcode, byte[] Payload)> Frames
    {
        get
        {
            byte[] bytes;
            lock (_recording)
            {
                bytes = _bytes.ToArray();
            }

            return Decode(bytes);
        }
    }

    /// <summary>The text frames, which are all JSON objects.</summary>
    public IReadOnlyList<JsonObject> Texts =>
        [.. Frames.Where(frame => frame.Opcode == Opcode.Text).Select(frame => JsonNode.Parse(frame.Payload)!.AsObject())];

    /// <summary>The codes of the close frames that have left.</summary>
    public IReadOnlyList<int> CloseCodes =>
        [.. Frames.Where(frame => frame.Opcode == Opcode.Close).Select(frame => (int)BinaryPrimitives.ReadUInt16BigEndian(frame.Payload))];

    /// <summary>How many bytes have left.</summary>
    public long Length
    {
        get
        {
            lock (_recording)
            {
                return _bytes.Length;
            }
        }
    }

    /// <summary>How often something was sent.</summary>
    public int Writes { get; private set; }

    public void Stall()
    {
        lock (_recording)
        {
            _flowing = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Flow()
    {
        lock (_recording)
        {
            _flowing.TrySetResult();
        }
    }

    protected override int SendNow(ReadOnlySpan<byte> bytes)
    {
        lock (_recording)
        {
            if (queuesFirst || !_flowing.Task.IsCompleted)
            {
                return 0;
            }

            Writes++;
            _bytes.Write(bytes);
            return bytes.Length;
        }
    }

    protected override async ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        Task flowing;
        lock (_recording)
        {
            flowing = _flowing.Task;
        }

        await flowing.WaitAsync(cancellationToken);
        lock (_recording)
        {
            _bytes.Write(bytes.Span);
        }

        return bytes.Length;
    }

    private static TaskCompletionSource Flowing()
    {
        var flowing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        flowing.SetResult();
        return flowing;
    }

    /// <summary>A server's frames: whole, unmasked (RFC 6455, section 5.2).</summary>
    private static List<(Opcode Opcode, byte[] Payload)> Decode(ReadOnlySpan<byte> bytes)
    {
        var frames = new List<(Opcode, byte[])>();
        while (bytes.Length >= 2 && bytes.Length >= FrameWriter.LengthOfHeader(bytes))
        {
            (bytes[0] & 0xF0 & ~Deflated.Rsv1).Should().Be(0x80, "every frame is final and has no other reserved bit");
            var (header, length) = (bytes[1] & 0x7F) switch
            {
                126 => (4, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])),
                127 => (10, (int)BinaryPrimitives.ReadUInt64BigEndian(bytes[2..])),
                var small => (2, small),
            };
            if (bytes.Length < header + length)
            {
                // Its rest is under way.
                break;
            }

            var payload = bytes.Slice(header, length);
            frames.Add(((Opcode)(bytes[0] & 0x0F), (bytes[0] & Deflated.Rsv1) == 0 ? payload.ToArray() : Deflated.Inflate(payload)));
            bytes = bytes[(header + length)..];
        }

        return frames;
    }
}
