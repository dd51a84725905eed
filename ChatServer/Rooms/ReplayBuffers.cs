using ChatServer.Backplane;

namespace ChatServer.Rooms;

/// <summary>The buffers of all newcomers of a room that are reading its log. The room's lock guards it.</summary>
internal sealed class ReplayBuffers
{
    private ReplayBuffer? _first;

    /// <summary>Begins to keep what is delivered after <paramref name="seq"/>, for one newcomer.</summary>
    public ReplayBuffer Start(long seq) => _first = new(seq, _first);

    public void Stop(ReplayBuffer buffer)
    {
        if (_first == buffer)
        {
            _first = buffer.Next;
            return;
        }

        for (var other = _first; other is not null; other = other.Next)
        {
            if (other.Next == buffer)
            {
                other.Next = buffer.Next;
            }
        }
    }

    /// <summary>The room has delivered a message.</summary>
    public void Append(RelayedMessage message)
    {
        for (var buffer = _first; buffer is not null; buffer = buffer.Next)
        {
            buffer.Append(message);
        }
    }

    /// <summary>The room's numbering has jumped: what the buffers hold is of no use.</summary>
    public void Spoil()
    {
        for (var buffer = _first; buffer is not null; buffer = buffer.Next)
        {
            buffer.Spoil();
        }
    }
}
