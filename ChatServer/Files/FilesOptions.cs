using ChatServer.Configuration;

namespace ChatServer.Files;

/// <summary>Settings of uploads and downloads.</summary>
/// <param name="MaxBytes">The largest file.</param>
/// <param name="Retention">How long an accepted file is held, at least.</param>
/// <param name="UploadTimeout">Silence after which an upload is given up.</param>
/// <param name="BufferBytes">What all uploads of this node together may hold in memory; more wait in their sockets.</param>
/// <param name="QuotaBytes">What a user may send in an hour, over all nodes; 0: no limit.</param>
/// <param name="Types">Which files are taken.</param>
internal sealed record FilesOptions(
    long MaxBytes, TimeSpan Retention, TimeSpan UploadTimeout, int BufferBytes, long QuotaBytes, FileTypeRule Types)
{
    /// <summary>How often the sender hears of its progress, in bytes.</summary>
    public const long ProgressEvery = 256 * 1024;

    /// <summary>What a download must take, in bytes a second, after <see cref="DownloadGrace"/>; else it is cut off.</summary>
    public const double MinDownloadRate = 240;

    /// <summary>
    /// Downloads of a node at once; further ones are answered 503. Each may hold a chunk and what Kestrel keeps for a peer, some 200 KiB:
    /// over HTTP/2 one connection may have a hundred.
    /// </summary>
    public const int MaxDownloads = 256;

    /// <summary>See <see cref="MinDownloadRate"/>.</summary>
    public static readonly TimeSpan DownloadGrace = TimeSpan.FromSeconds(10);

    /// <summary>How long a download over HTTP/2 may stand still, for which there is no such rate.</summary>
    public static readonly TimeSpan DownloadStall = TimeSpan.FromSeconds(60);

    /// <summary>When who is answered that there are too many should come again.</summary>
    public static readonly TimeSpan DownloadRetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long an incomplete file outlives its last chunk beyond <see cref="UploadTimeout"/>: a node that was killed deletes nothing.
    /// </summary>
    public static readonly TimeSpan UnfinishedMargin = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How long a buffer may take to fill. A slow sender's is then written as it is and read back for more: it would keep others from
    /// sending.
    /// </summary>
    public static readonly TimeSpan MaxBufferTime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long an upload waits for a buffer. Meanwhile nothing else of its connection is read, pongs neither: it must stay well below
    /// PONG_TIMEOUT.
    /// </summary>
    public static readonly TimeSpan BufferPatience = TimeSpan.FromSeconds(5);

    /// <summary>How often all uploads are looked at; their time limits are accurate to it.</summary>
    public static readonly TimeSpan UploadCheckInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>The span for which <see cref="QuotaBytes"/> counts.</summary>
    public static readonly TimeSpan QuotaPeriod = TimeSpan.FromHours(1);

    public static FilesOptions Read(SettingReader settings) => new(
        settings.Long("MAX_FILE_BYTES", 25 * 1024 * 1024, 1, 4L * 1024 * 1024 * 1024),
        settings.Seconds("FILE_RETENTION", 24 * 60 * 60, 60, 30 * 24 * 60 * 60),
        settings.Seconds("CHAT_UPLOAD_TIMEOUT", 30, 1, 3600),
        settings.Int("CHAT_UPLOAD_BUFFER_BYTES", 16 * 1024 * 1024, IFileStore.ChunkBytes, 1024 * 1024 * 1024),
        settings.Long("CHAT_UPLOAD_QUOTA_BYTES", 1024 * 1024 * 1024, 0, long.MaxValue / 2),
        FileTypeRule.Read(settings));
}
