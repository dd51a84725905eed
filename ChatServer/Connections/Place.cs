using System.Net;

namespace ChatServer.Connections;

/// <summary>Why a socket gets no place on this node.</summary>
internal enum PlaceRefusal
{
    None,

    /// <summary>The node has <c>MAX_CONNECTIONS</c>.</summary>
    Full,

    /// <summary>Too many sockets have not authenticated yet.</summary>
    TooManyUnknown,

    /// <summary>Too many sockets of the address have not authenticated yet (<c>MAX_UNAUTHENTICATED_PER_ADDRESS</c>).</summary>
    TooManyOfAddress,
}

/// <summary>
/// A socket's place on this node, from before its upgrade to its end: first among those of whom nobody knows who they are, then among the
/// users' connections. The former are counted apart and for each address, so that they can take no place from users.
/// </summary>
internal sealed class Place(Places places, IPAddress? address)
{
    private int _state = (int)State.Unknown;

    internal enum State
    {
        Unknown,
        Known,
        GivenBack,
    }

    /// <summary>Its user has authenticated.</summary>
    public void BecomeKnown() => Move(State.Known);

    /// <summary>The socket has ended, or was not upgraded.</summary>
    public void GiveBack() => Move(State.GivenBack);

    private void Move(State next)
    {
        State before;
        do
        {
            before = (State)Volatile.Read(ref _state);
            if (before >= next)
            {
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _state, (int)next, (int)before) != (int)before);
        places.Move(address, before, next);
    }
}
