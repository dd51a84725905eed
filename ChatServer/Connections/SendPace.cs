namespace ChatServer.Connections;

/// <summary>
/// Whether a peer keeps up. What is given to it at once says nothing about that, only what it takes in a time: one for which more than the
/// limit waits has <see cref="ConnectionOptions.SlowAfter"/> to get below it again, or at least to take a quarter of the limit. Guarded by
/// its <see cref="Outbound"/>.
/// </summary>
internal struct SendPace
{
    private const int PartOfLimit = 4;

    private bool _isBehind;
    private long _since;
    private long _taken;

    /// <summary>Something waits now that did not before.</summary>
    public void Queued(long waiting, int limit, TimeProvider time)
    {
        if (!_isBehind && waiting > limit)
        {
            Begin(time);
        }
    }

    public void Took(int bytes, long waiting, int limit)
    {
        _taken += bytes;
        _isBehind = _isBehind && waiting > limit;
    }

    public bool IsTooSlow(int limit, TimeProvider time)
    {
#if FAULT_INJECTION
        if (FaultInjection.Disables("pace"))
        {
            return _isBehind;
        }

#endif
        if (!_isBehind || time.GetElapsedTime(_since) < ConnectionOptions.SlowAfter)
        {
            return false;
        }

        if (_taken < limit / PartOfLimit)
        {
            return true;
        }

        Begin(time);
        return false;
    }

    private void Begin(TimeProvider time) => (_isBehind, _since, _taken) = (true, time.GetTimestamp(), 0);
}
