using System.Collections.Concurrent;

namespace ChatServer.Files;

/// <summary>Looks after this node's uploads, with one timer for all of them.</summary>
internal sealed partial class UploadWatch(TimeProvider time, ILogger<UploadWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<Upload, byte> _uploads = new();

    /// <summary>How many are under way.</summary>
    public int Count => _uploads.Count;

    public void Add(Upload upload) => _uploads[upload] = 0;

    public void Remove(Upload upload) => _uploads.TryRemove(upload, out _);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var (upload, _) in _uploads)
            {
                // Not awaited: one whose store is slow must not hold up the others.
                _ = LookAfterAsync(upload);
            }
        }
    }

    private async Task LookAfterAsync(Upload upload)
    {
        try
        {
            await upload.LookAfterAsync();
        }
        catch (Exception exception)
        {
            // A defect of ours: it must be seen, and the watch goes on.
            LogFailed(exception);
        }
    }

    [LoggerMessage(910, LogLevel.Error, "An upload could not be looked after, for a reason that lies here.")]
    private partial void LogFailed(Exception exception);
}
