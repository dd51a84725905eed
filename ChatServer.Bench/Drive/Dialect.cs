namespace ChatServer.Bench.Drive;

/// <summary>What a text frame means that is not a message from somebody else.</summary>
internal enum Reply
{
    Nothing,

    /// <summary>The server's ack of one message.</summary>
    Ack,

    /// <summary>One message of the sender is saved.</summary>
    Saved,
    Error,
}

/// <summary>How a server wants to be spoken to. A login is a series of steps: perhaps a frame, then the wait for an answer.</summary>
internal abstract class Dialect
{
    public static Dialect For(string name) => name switch
    {
        ChatDialect.Name => new ChatDialect(),
        NaiveDialect.Name => new NaiveDialect(),
        NchanDialect.Name => new NchanDialect(),
        SignalRDialect.Name => new SignalRDialect(),
        _ => throw new ArgumentException($"There is no dialect {name}.", nameof(name)),
    };

    /// <summary>Whether each message is acknowledged.</summary>
    public virtual bool HasAcks => false;

    /// <summary>
    /// Whether a sender gets its own messages too: one delivery more for each, which has to come once and in order like the others.
    /// </summary>
    public virtual bool Echoes => false;

    public virtual int Steps => 1;

    public abstract string Path(Connection connection);

    /// <summary>The frame that opens a step; null if the server speaks first.</summary>
    public virtual byte[]? Opening(Connection connection, int step) => null;

    /// <summary>Whether a frame ends a step.</summary>
    public abstract bool Ends(int step, ReadOnlySpan<byte> text);

    /// <summary>Writes a chat frame and gives its length.</summary>
    /// <param name="connection">The sender.</param>
    /// <param name="identifier">Of the message, unique.</param>
    /// <param name="body">Plain ASCII without anything that JSON escapes.</param>
    /// <param name="frame">Space for the body and 256 bytes more.</param>
    public abstract int Write(Connection connection, ReadOnlySpan<byte> identifier, ReadOnlySpan<byte> body, Span<byte> frame);

    public virtual Reply Read(ReadOnlySpan<byte> text) => Reply.Nothing;
}
