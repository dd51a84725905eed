namespace ChatServer.Outbox;

/// <summary>A place for one call of Quantum's API; it is given back when the call has ended.</summary>
/// <param name="company">Whose call it is.</param>
/// <param name="room">The room of the message.</param>
/// <param name="ended">Called once.</param>
internal sealed class SaveTurn(CompanySaves company, long room, Action<SaveTurn, SaveEnd> ended) : IDisposable
{
    private ITimer? _slow;
    private int _isOver;

    public CompanySaves Company => company;

    public long Room => room;

    public bool IsOver => Volatile.Read(ref _isOver) != 0;

    /// <summary>Whether others may have the place though the call is still under way.</summary>
    public bool IsSlow { get; set; }

    /// <param name="slow">Tells that it takes long; it may come late, when the turn is over.</param>
    public void Watch(ITimer slow) => _slow = slow;

    /// <summary>The first call counts.</summary>
    public void End(SaveEnd end)
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            ended(this, end);
            _slow?.Dispose();
        }
    }

    public void Dispose() => End(SaveEnd.NotAsked);
}
