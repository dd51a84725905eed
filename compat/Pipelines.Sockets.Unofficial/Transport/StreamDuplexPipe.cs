using System.IO.Pipelines;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>What <see cref="StreamConnection.GetDuplex"/> gives.</summary>
internal sealed class StreamDuplexPipe(Stream stream, PipeOptions send, PipeOptions receive, string? name)
    : IMeasuredDuplexPipe, IDisposable
{
    private readonly DuplexPump _pump = new(new StreamTransport(stream), send, receive);
    private readonly string _name = string.IsNullOrWhiteSpace(name) ? nameof(StreamConnection) : name.Trim();

    public PipeReader Input => _pump.Input;

    public PipeWriter Output => _pump.Output;

    public long TotalBytesSent => _pump.BytesSent;

    public long TotalBytesReceived => _pump.BytesRead;

    public void Dispose() => _pump.Dispose();

    public override string ToString() => _name;
}
