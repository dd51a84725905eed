using ChatServer.Settings;

namespace ChatServer.Files;

/// <summary>What holds for files.</summary>
/// <param name="MaxBytes">The largest file.</param>
/// <param name="Retention">How long an accepted file is held, at least.</param>
/// <param name="UploadTimeout">Silence after which an upload is given up.</param>
/// <param name="BufferBytes">What all uploads of this node together may hold in memory; more wait in their sockets.</param>
/// <param name="QuotaBytes">What a user may send in an hour, over all nodes; 0: no limit.</param>
/// <param name="Types">Which files are taken.</param>
internal sealed record FilesOptions(long MaxBytes, TimeSpan Retention, TimeSpan UploadTimeout, int BufferBytes, long QuotaBytes, FileTypeRule Types)
{
    public static FilesOptions Read(SettingReader settings) => new(
        settings.Long("MAX_FILE_BYTES", 25 * 1024 * 1024, 1, 4L * 1024 * 1024 * 1024),
        settings.Seconds("FILE_RETENTION", 24 * 60 * 60, 60, 30 * 24 * 60 * 60),
        settings.Seconds("CHAT_UPLOAD_TIMEOUT", 30, 1, 3600),
        settings.Int("CHAT_UPLOAD_BUFFER_BYTES", 16 * 1024 * 1024, IFileStore.ChunkBytes, 1024 * 1024 * 1024),
        settings.Long("CHAT_UPLOAD_QUOTA_BYTES", 1024 * 1024 * 1024, 0, long.MaxValue / 2),
        FileTypeRule.Read(settings));
}
