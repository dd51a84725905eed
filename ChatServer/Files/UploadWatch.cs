using System.Collections.Concurrent;

namespace ChatServer.Files;

/// <summary>Checks this node's uploads, with one timer for all of them.</summary>
internal sealed partial class UploadWatch(TimeProvider time, ILogger<UploadWatch> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<Upload, byte> _uploads = new();

    /// <summary>How many are under way.</summary>
    public int Count => _uploads.Count;

    public void Add(Upload upload) => _uploads[upload] = 0;

    public void Remove(Upload upload) => _uploads.TryRemove(upload, out _);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(FilesOptions.UploadCheckInterval, time);
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
            // A bug of ours must be seen, and must not end the checks.
            Log.CheckFailed(logger, exception);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(410, LogLevel.Error, "Unexpected error while checking an upload; the others are not affected.")]
        public static partial void CheckFailed(ILogger logger, Exception exception);
    }
}
