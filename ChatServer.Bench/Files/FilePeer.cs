using ChatServer.Bench.Peers;
using ChatServer.Bench.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Bench.Files;

/// <summary>
/// A bare Kestrel endpoint: takes bytes and keeps none, gives bytes from memory. No faster way to move a file over HTTP is to be had here.
/// </summary>
internal static class FilePeer
{
    public const string Verb = "peer-files";
    public const string Path = "/file";

    public static async Task<int> RunAsync(PeerOptions options)
    {
        var bytes = new byte[options.Int("--bytes", 1)];
        var builder = options.CreateBuilder();
        builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        var app = builder.Build();
        app.MapPost(Path, (HttpRequest request) => request.Body.CopyToAsync(Stream.Null));
        app.MapGet(Path, (HttpResponse response) =>
        {
            response.ContentLength = bytes.Length;
            return response.Body.WriteAsync(bytes).AsTask();
        });
        await Lifeline.RunAsync(app);
        return 0;
    }
}
