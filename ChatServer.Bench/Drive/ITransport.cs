namespace ChatServer.Bench.Drive;

/// <summary>What a transport tells, always on the thread that calls <see cref="ITransport.Turn"/>.</summary>
internal interface IReceiver
{
    /// <summary>Takes bytes of the stream, which are valid during the call only.</summary>
    void Received(Connection connection, ReadOnlySpan<byte> bytes);

    void Ended(Connection connection, string why);
}

/// <summary>Moves the bytes of all connections. Not thread-safe: one thread calls everything, and is called back on it.</summary>
internal interface ITransport : IDisposable
{
    /// <summary>Connects, and reads from then on.</summary>
    void Open(Connection connection, int port, IReceiver receiver);

    /// <summary>Sends what waits in the connection's buffer, as far as the socket takes it now, and the rest later.</summary>
    void Flush(Connection connection);

    /// <summary>Waits for something to happen, at most that long, and handles it.</summary>
    void Turn(long nanoseconds);

    /// <summary>Drops a connection.</summary>
    void Close(Connection connection);
}
