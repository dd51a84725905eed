namespace ChatServer.Outbox;

/// <summary>A drainer that runs.</summary>
internal sealed class RunningDrainer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;

    public RunningDrainer(PartitionDrainer drainer, long leasedAt)
    {
        (Drainer, LeasedAt) = (drainer, leasedAt);
        _running = drainer.RunAsync(_stopping.Token);
    }

    public PartitionDrainer Drainer { get; }

    public long LeasedAt { get; set; }

    /// <summary>Completes when nothing is under way any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
        Drainer.Dispose();
    }
}
