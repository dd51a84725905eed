namespace ChatServer.Connections;

/// <summary>
/// Sends through the upgraded stream, for TLS and HTTP/2: senders only queue, so what comes while a write is under way leaves in the next
/// one, joined.
/// </summary>
internal sealed class StreamOutbound(Stream stream, int limitBytes, TimeProvider? time = null) : Outbound(limitBytes, time)
{
    protected override int SendNow(ReadOnlySpan<byte> bytes) => 0;

    protected override async ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(bytes, cancellationToken);
        await stream.FlushAsync(cancellationToken);
        return bytes.Length;
    }
}
