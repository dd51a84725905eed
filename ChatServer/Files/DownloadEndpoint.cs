using System.Globalization;
using ChatServer.Protocol;
using ChatServer.Redis;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Net.Http.Headers;

namespace ChatServer.Files;

/// <summary>
/// <c>GET</c> and <c>HEAD /files/{id}</c>. The address is a capability: whoever has it may load the file, on any node, until it expires.
/// Ranges, conditions and the file's name in the header are ASP.NET Core's (RFC 9110, sections 13 and 14; RFC 6266 and 8187).
/// </summary>
internal sealed partial class DownloadEndpoint(IFileStore store, TimeProvider time, ILogger<DownloadEndpoint> logger)
{
    private const string Path = "/files/";

    private int _downloads;

    /// <summary>
    /// A peer that takes less is cut off: each download holds a connection. For HTTP/1.1, where it can be set per request.
    /// </summary>
    private static readonly MinDataRate SlowestPeer = new(FilesOptions.MinDownloadRate, FilesOptions.DownloadGrace);

    /// <summary>Where a file is loaded, relative to any node.</summary>
    public static string UrlOf(FileId id) => Path + id;

    public void Map(IEndpointRouteBuilder app) => app.MapMethods(Path + "{id}", [HttpMethods.Get, HttpMethods.Head], ServeAsync);

    private async Task ServeAsync(HttpContext context, string id)
    {
        Guard(context.Response.Headers);
        try
        {
            if (Interlocked.Increment(ref _downloads) <= FilesOptions.MaxDownloads)
            {
                await DownloadAsync(context, id);
                return;
            }

            Log.TooMany(logger, FilesOptions.MaxDownloads);
            context.Response.Headers.RetryAfter = FilesOptions.DownloadRetryAfter.TotalSeconds.ToString(CultureInfo.InvariantCulture);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
        finally
        {
            Interlocked.Decrement(ref _downloads);
        }
    }

    private async Task DownloadAsync(HttpContext context, string id)
    {
        StoredFile? file;
        try
        {
            file = FileId.TryParse(id, out var known) ? await store.FindAsync(known) : null;
            if (file is null)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            var rate = context.Features.Get<IHttpMinResponseDataRateFeature>();
            rate?.MinDataRate = SlowestPeer;

            if (!context.Request.Headers.Range.ToString().StartsWith("bytes=", StringComparison.OrdinalIgnoreCase))
            {
                // A unit that is not understood is ignored (RFC 9110, section 14.2); the framework takes any for bytes.
                context.Request.Headers.Remove(HeaderNames.Range);
            }

            var stream = new StoredFileStream(store, known, file.Size);
            await using var watch = rate is null ? Watch(context, stream) : null;
            await Results.Stream(
                stream, file.ContentType, file.Name, lastModified: null,
                new EntityTagHeaderValue($"\"{file.Sha256}\""), enableRangeProcessing: true).ExecuteAsync(context);
        }
        catch (Exception exception) when (exception is RedisUnavailableException or FileGoneException)
        {
            Log.DownloadBroken(logger, exception);
            if (context.Response.HasStarted)
            {
                // The length was announced: only a cut tells the peer that this is not all.
                context.Abort();
                return;
            }

            context.Response.Headers.Remove(HeaderNames.ContentLength);
            context.Response.StatusCode = exception is FileGoneException
                ? StatusCodes.Status404NotFound
                : StatusCodes.Status503ServiceUnavailable;
        }
    }

    /// <summary>
    /// What a user sent must not run as a page of this host: it is saved, not shown, its type is not guessed, and if it is shown after all
    /// it may do nothing. Pages of other hosts, such as Quantum's, may show it as a picture: whoever has the address may load it anyway.
    /// </summary>
    public static void Guard(IHeaderDictionary headers)
    {
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        headers.CacheControl = "private";
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        headers["Referrer-Policy"] = "no-referrer";
    }

    /// <summary>Cuts off a peer that takes nothing: over HTTP/2 one may open streams alone, and hold all that they need.</summary>
    private ITimer Watch(HttpContext context, StoredFileStream stream)
    {
        var before = -1L;
        return time.CreateTimer(
            _ =>
            {
                if (stream.Taken == before)
                {
                    context.Abort();
                }

                before = stream.Taken;
            },
            null, FilesOptions.DownloadStall, FilesOptions.DownloadStall);
    }

    private static partial class Log
    {
        [LoggerMessage(400, LogLevel.Warning, "A download was broken off: the file is gone or Redis is out of reach.")]
        public static partial void DownloadBroken(ILogger logger, Exception exception);

        [LoggerMessage(401, LogLevel.Warning, "A download was refused: {Most} are under way, as many as a node serves at once.")]
        public static partial void TooMany(ILogger logger, int most);
    }
}
