
namespace ChatServer.Connections;

/// <summary>What became of frames given to <see cref="Outbound.TrySend(ReadOnlySpan{byte})"/>.</summary>
internal enum SendResult
{
    /// <summary>The kernel has them, or they wait in the peer's queue.</summary>
    Sent,

    /// <summary>They would pass the queue's limit, or what waits already is not taken. This peer gets nothing more but a close frame.</summary>
    Slow,

    /// <summary>The connection is closing, broken or aborted.</summary>
    Closed,
}
