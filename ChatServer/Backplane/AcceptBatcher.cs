using ChatServer.Redis;

namespace ChatServer.Backplane;

/// <summary>
/// Accepts the messages of each room in the order in which they were posted: one script call is under way at a time, and what arrives
/// meanwhile shares the next one. When a call fails, everything that waits fails with it: a later message of a sender must not overtake an
/// earlier one.
/// </summary>
internal sealed class AcceptBatcher(GenerationScripts scripts, LogLimits limits) : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly AcceptQueue _waiting = new();
    private readonly List<PostedMessage> _batch = [];
    private bool _running;

    public void Post(MessageDraft draft, RoomNames names, IAcceptListener listener)
    {
        lock (_gate)
        {
            _waiting.Add(new(draft, names, listener));
            if (_running)
            {
                return;
            }

            _running = true;
        }

        // Not at once: what else this turn of the receiving loop brings shares the call.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        while (TryTake())
        {
            var told = 0;
            try
            {
                var answers = new AcceptAnswers(await new AcceptScript(_batch, limits).RunAsync(scripts));
                for (; told < _batch.Count; told++)
                {
                    answers.Tell(_batch[told]);
                }
            }
            catch (Exception exception)
            {
                // Not even a bug of ours may stop the batcher for good.
                var unavailable = exception as RedisUnavailableException ?? new("The accept step failed.", exception);
                TakeTheRest();
                foreach (var (draft, _, listener) in _batch.Skip(told))
                {
                    listener.OnUnavailable(draft, unavailable);
                }
            }
        }
    }

    /// <returns>False if nothing waits: the next post runs the batcher again.</returns>
    private bool TryTake()
    {
        _batch.Clear();
        lock (_gate)
        {
            _waiting.MoveTo(_batch, BackplaneOptions.AcceptsAtOnce, BackplaneOptions.AcceptBytesAtOnce, BackplaneOptions.AcceptBytesOfRoom);
            return _running = _batch.Count > 0;
        }
    }

    private void TakeTheRest()
    {
        lock (_gate)
        {
            _waiting.MoveTo(_batch, int.MaxValue, long.MaxValue, long.MaxValue);
        }
    }
}
