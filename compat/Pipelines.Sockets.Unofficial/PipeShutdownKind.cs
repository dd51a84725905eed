namespace Pipelines.Sockets.Unofficial;

/// <summary>
/// What first ended a connection. The numbers are compiled into StackExchange.Redis (it compares with 100 and sets 400), so they are
/// those of the official package.
/// </summary>
public enum PipeShutdownKind
{
    /// <summary>The connection is open.</summary>
    None = 0,

    /// <summary>The connection was disposed.</summary>
    PipeDisposed = 1,

    /// <summary>The peer ended its direction in good order.</summary>
    ReadEndOfStream = 100,

    /// <summary>Receiving met a disposed transport.</summary>
    ReadDisposed = 101,

    /// <summary>Receiving met an I/O error.</summary>
    ReadIOException = 102,

    /// <summary>Receiving met another error.</summary>
    ReadException = 103,

    /// <summary>Receiving met a socket error: see <see cref="SocketConnection.SocketError"/>.</summary>
    ReadSocketError = 104,

    /// <summary>What was received found its reader completed.</summary>
    ReadFlushCompleted = 105,

    /// <summary>Handing over what was received was cancelled.</summary>
    ReadFlushCanceled = 106,

    /// <summary>Everything was sent and the writer is complete.</summary>
    WriteEndOfStream = 200,

    /// <summary>Sending met a disposed transport.</summary>
    WriteDisposed = 201,

    /// <summary>Sending met an I/O error.</summary>
    WriteIOException = 203,

    /// <summary>Sending met another error.</summary>
    WriteException = 204,

    /// <summary>Sending met a socket error: see <see cref="SocketConnection.SocketError"/>.</summary>
    WriteSocketError = 205,

    /// <summary>The input's reader was completed by its user.</summary>
    InputReaderCompleted = 300,

    /// <summary>The input's writer was completed.</summary>
    InputWriterCompleted = 301,

    /// <summary>The output's reader was completed.</summary>
    OutputReaderCompleted = 302,

    /// <summary>The output's writer was completed by its user.</summary>
    OutputWriterCompleted = 303,

    /// <summary>The client said goodbye in the protocol.</summary>
    ProtocolExitClient = 400,

    /// <summary>The server said goodbye in the protocol.</summary>
    ProtocolExitServer = 401,
}
