namespace ChatServer.Connections;

/// <summary>
/// What a connection's requests have under way, for whoever has to choose a good moment to close it. May be read from any thread: what it
/// says is so at one moment.
/// </summary>
internal interface IConnectionWork
{
    /// <summary>Whether the peer is in the midst of something that takes several frames or a while: a file, or entering rooms.</summary>
    bool IsUnderWay { get; }

    /// <summary>Whether a message has been taken from the peer and has neither its ack nor an error yet.</summary>
    bool OwesAnswer { get; }
}
