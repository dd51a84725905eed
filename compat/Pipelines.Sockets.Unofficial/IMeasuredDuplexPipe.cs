using System.IO.Pipelines;

namespace Pipelines.Sockets.Unofficial;

/// <summary>A duplex pipe that counts what went through it.</summary>
public interface IMeasuredDuplexPipe : IDuplexPipe
{
    /// <summary>Bytes that the transport has taken since the start.</summary>
    long TotalBytesSent { get; }

    /// <summary>Bytes that have come from the transport since the start.</summary>
    long TotalBytesReceived { get; }
}
