
namespace ChatServer.Connections;

/// <summary>What became of frames given to <see cref="Outbound.TrySend"/>.</summary>
internal enum SendResult
{
    /// <summary>The kernel has them, or they wait in the peer's queue.</summary>
    Sent,

    /// <summary>They would exceed the queue's limit. This peer gets only a close frame from now on.</summary>
    Slow,

    /// <summary>The connection is closing, broken or aborted.</summary>
    Closed,
}
