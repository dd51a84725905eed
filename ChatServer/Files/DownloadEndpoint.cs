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
internal sealed partial class DownloadEndpoint(IFileStore store, ILogger<DownloadEndpoint> logger)
{
    private const string Path = "/files/";

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
        StoredFile? file;
        try
        {
            file = FileId.TryParse(id, out var known) ? await store.FindAsync(known) : null;
            if (file is null)
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            {
                rate.MinDataRate = SlowestPeer;
            }

            if (!context.Request.Headers.Range.ToString().StartsWith("bytes=", StringComparison.OrdinalIgnoreCase))
            {
                // A unit that is not understood is ignored (RFC 9110, section 14.2); the framework takes any for bytes.
                context.Request.Headers.Remove(HeaderNames.Range);
            }

            await Results.Stream(
                new StoredFileStream(store, known, file.Size), file.ContentType, file.Name, lastModified: null,
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

    private static partial class Log
    {
        [LoggerMessage(400, LogLevel.Warning, "A download was broken off: the file is gone or Redis is out of reach.")]
        public static partial void DownloadBroken(ILogger logger, Exception exception);
    }
}
