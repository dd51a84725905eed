using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Net.Http.Headers;

namespace ChatServer.WebSockets;

/// <summary>
/// Turns a request into a stream of frames: the HTTP/1.1 upgrade (RFC 6455, section 4.2) and HTTP/2's extended CONNECT (RFC 8441).
/// The one extension that may be agreed on is <see cref="PermessageDeflate"/>; any other offer stays unanswered.
/// </summary>
internal static class WebSocketHandshake
{
    private const string WebSocket = "websocket";
    private const string Version = "13";
    private const int KeyBytes = 16;
    private const int KeyCharacters = 24;

    private static ReadOnlySpan<byte> Guid => "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8;

    /// <summary>Whether the request asks for a WebSocket at all; its version and key are looked at by <see cref="AcceptAsync"/>.</summary>
    public static bool IsUpgrade(HttpContext context) => IsHttp1Upgrade(context) || IsExtendedConnect(context);

    /// <summary>
    /// Switches the connection over, and lifts the limits meant for requests that end: body size, data rates, request timeout.
    /// On HTTP/2 the rate at which answers must be read is not set a request but by <c>KestrelServerLimits.MinResponseDataRate</c>.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="deflates">Whether to agree to <see cref="PermessageDeflate"/>, which the client has offered.</param>
    /// <returns>The stream of frames; null if the request was refused, with its answer written.</returns>
    public static async ValueTask<Stream?> AcceptAsync(HttpContext context, bool deflates = false)
    {
        if (!IsUpgrade(context))
        {
            await RefuseAsync(context, UpgradeRequired(context), "This is a WebSocket endpoint.");
            return null;
        }

        var headers = context.Request.Headers;
        if (headers.SecWebSocketVersion != Version)
        {
            context.Response.Headers.SecWebSocketVersion = Version;
            await RefuseAsync(context, UpgradeRequired(context), "Only WebSocket version 13 is spoken here.");
            return null;
        }

        if (IsExtendedConnect(context))
        {
            LiftLimits(context);
            AgreeOn(deflates, context);
            return await context.Features.GetRequiredFeature<IHttpExtendedConnectFeature>().AcceptAsync();
        }

        string? key = headers.SecWebSocketKey;
        if (headers.SecWebSocketKey.Count != 1 || key is null || !IsKey(Encoding.UTF8.GetBytes(key)))
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "Sec-WebSocket-Key must be 16 bytes in base64.");
            return null;
        }

        LiftLimits(context);
        AgreeOn(deflates, context);
        context.Response.Headers.Upgrade = WebSocket;
        context.Response.Headers.SecWebSocketAccept = AcceptKey(key);
        return await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

    /// <summary>
    /// The whole answer to an HTTP/1.1 upgrade (RFC 6455, section 4.2.2), for a connection on which no HTTP server writes.
    /// </summary>
    /// <param name="key">Its Sec-WebSocket-Key.</param>
    /// <param name="deflates">Whether to agree to <see cref="PermessageDeflate"/>, which the client has offered.</param>
    public static byte[] Answer(string key, bool deflates = false) => Encoding.ASCII.GetBytes(
        $"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: {WebSocket}\r\nSec-WebSocket-Accept: {AcceptKey(key)}\r\n"
        + (deflates ? $"Sec-WebSocket-Extensions: {PermessageDeflate.Answer}\r\n\r\n" : "\r\n"));

    /// <summary>Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455, section 4.2.2, step 5.4).</summary>
    public static string AcceptKey(string key)
    {
        Span<byte> text = stackalloc byte[KeyCharacters + Guid.Length];
        Encoding.ASCII.GetBytes(key, text);
        Guid.CopyTo(text[KeyCharacters..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];

        // The RFC demands SHA-1; no security depends on it.
#pragma warning disable CA5350
        SHA1.HashData(text, hash);
#pragma warning restore CA5350
        return Convert.ToBase64String(hash);
    }

    /// <summary>Whether it is 16 bytes in base64.</summary>
    public static bool IsKey(ReadOnlySpan<byte> key)
    {
        Span<byte> bytes = stackalloc byte[KeyCharacters];
        return key.Length == KeyCharacters
            && Base64.DecodeFromUtf8(key, bytes, out _, out var written) == System.Buffers.OperationStatus.Done && written == KeyBytes;
    }

    private static bool IsHttp1Upgrade(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method)
        && HttpProtocol.IsHttp11(context.Request.Protocol) // HTTP/1.0 has no upgrade, whatever its headers say (RFC 9110, section 7.8).
        && context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        && HasToken(context.Request.Headers, HeaderNames.Connection, HeaderNames.Upgrade)
        && HasToken(context.Request.Headers, HeaderNames.Upgrade, WebSocket);

    private static bool IsExtendedConnect(HttpContext context) =>
        HttpMethods.IsConnect(context.Request.Method)
        && context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect
        && string.Equals(connect.Protocol, WebSocket, StringComparison.OrdinalIgnoreCase);

    private static bool HasToken(IHeaderDictionary headers, string name, string token) =>
        headers.GetCommaSeparatedValues(name).Contains(token, StringComparer.OrdinalIgnoreCase);

    private static void AgreeOn(bool deflates, HttpContext context)
    {
        if (deflates)
        {
            context.Response.Headers.SecWebSocketExtensions = PermessageDeflate.Answer;
        }
    }

    private static void LiftLimits(HttpContext context)
    {
        var features = context.Features;
        features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        if (features.Get<IHttpMinRequestBodyDataRateFeature>() is { } requestRate)
        {
            requestRate.MinDataRate = null;
        }

        if (features.Get<IHttpMinResponseDataRateFeature>() is { } responseRate)
        {
            responseRate.MinDataRate = null;
        }

        if (features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }
    }

    /// <summary>
    /// HTTP/2 knows neither 426's Upgrade header nor any upgrade (RFC 9113, section 8.6): there the request is just wrong.
    /// </summary>
    private static int UpgradeRequired(HttpContext context) =>
        HttpProtocol.IsHttp2(context.Request.Protocol) || HttpProtocol.IsHttp3(context.Request.Protocol)
            ? StatusCodes.Status400BadRequest
            : StatusCodes.Status426UpgradeRequired;

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status426UpgradeRequired)
        {
            context.Response.Headers.Upgrade = WebSocket;
            context.Response.Headers.Connection = HeaderNames.Upgrade;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(why);
    }
}
