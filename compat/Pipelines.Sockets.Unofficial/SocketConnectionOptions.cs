namespace Pipelines.Sockets.Unofficial;

/// <summary>How a <see cref="SocketConnection"/> reads.</summary>
[Flags]
public enum SocketConnectionOptions
{
    /// <summary>A buffer is ready before the bytes are.</summary>
    None = 0,

    /// <summary>Waits for bytes with an empty read, so that an idle connection holds no buffer.</summary>
    ZeroLengthReads = 1,
}
