using ChatServer.Sessions;

namespace ChatServer.Users;

/// <summary>
/// Sessions of which Quantum said lately that they have ended. A connection whose session was looked up just before that may come in just
/// after it, when the order has found nothing to close.
/// </summary>
internal sealed class EndedSessions(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<SessionKey, long> _endedAt = [];
    private readonly Queue<(SessionKey Key, long At)> _inOrder = new();

    public void Add(SessionKey key)
    {
        lock (_gate)
        {
            _inOrder.Enqueue((key, _endedAt[key] = time.GetTimestamp()));
            Forget();
        }
    }

    /// <summary>Whether it has ended within <see cref="SessionOptions.EndRemembered"/>; it may have begun anew since.</summary>
    public bool Contains(SessionKey key)
    {
        lock (_gate)
        {
            Forget();
            return _endedAt.ContainsKey(key);
        }
    }

    private void Forget()
    {
        while (_inOrder.TryPeek(out var oldest)
            && (_inOrder.Count > SessionOptions.MaxEndsRemembered || time.GetElapsedTime(oldest.At) >= SessionOptions.EndRemembered))
        {
            _inOrder.Dequeue();
            if (_endedAt[oldest.Key] == oldest.At)
            {
                _endedAt.Remove(oldest.Key);
            }
        }
    }
}
