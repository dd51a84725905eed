namespace ChatServer.Tests.Fuzz.Support;

/// <summary>Something that reads what others wrote, and what must hold whatever they wrote.</summary>
internal abstract class FuzzTarget
{
    public string Name => GetType().Name;

    /// <summary>Valid inputs, from which odd ones are made.</summary>
    public abstract IReadOnlyList<byte[]> Seeds { get; }

    /// <summary>The most that one input may allocate: a few bytes must not be able to ask for much.</summary>
    public virtual long MaxAllocated => 1 << 20;

    /// <summary>
    /// Whether every rented buffer must be back after each input. The JSON library itself keeps some when it throws, so targets that let
    /// it throw can't promise that.
    /// </summary>
    public virtual bool ReturnsBuffers => false;

    /// <summary>Reads the input; throws if something does not hold, or lets an exception through that nobody expects.</summary>
    /// <param name="input">The target's own.</param>
    /// <param name="random">For what else is open: where the input is cut, which limits are set.</param>
    public abstract void Take(byte[] input, Random random);
}
