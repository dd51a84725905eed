using System.Security.Cryptography;
using ChatServer.Files;

namespace ChatServer.Embedded.Demo;

/// <summary>The files that the demo Quantum has saved, in memory: beyond <see cref="MaxBytes"/> the oldest go.</summary>
internal sealed class DemoFiles
{
    public const long MaxBytes = 128 * 1024 * 1024;

    private const string Path = "/demo/files/";
    private const int SecretLength = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (DemoFile File, byte[] Bytes)> _byUrl = new(StringComparer.Ordinal);
    private readonly Queue<string> _oldestFirst = new();
    private long _held;

    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet(Path + "{secret}", static (string secret, HttpContext context, DemoFiles files) =>
        {
            DownloadEndpoint.Guard(context.Response.Headers);
            return files.Find(Path + secret) is var (file, bytes)
                ? Results.Bytes(bytes, file.ContentType, file.Name, enableRangeProcessing: true)
                : Results.NotFound();
        });

    public DemoFile Add(string name, string contentType, byte[] bytes)
    {
        var file = new DemoFile(name, contentType, bytes.Length, Path + RandomNumberGenerator.GetHexString(SecretLength, lowercase: true));
        lock (_lock)
        {
            _byUrl.Add(file.Url, (file, bytes));
            _oldestFirst.Enqueue(file.Url);
            _held += bytes.Length;
            while (_held > MaxBytes)
            {
                Forget(_oldestFirst.Dequeue());
            }
        }

        return file;
    }

    /// <summary>Takes back what <see cref="Add"/> has just added.</summary>
    public void Remove(DemoFile file)
    {
        lock (_lock)
        {
            Forget(file.Url);
        }
    }

    private (DemoFile File, byte[] Bytes)? Find(string url)
    {
        lock (_lock)
        {
            return _byUrl.TryGetValue(url, out var found) ? found : null;
        }
    }

    private void Forget(string url)
    {
        if (_byUrl.Remove(url, out var gone))
        {
            _held -= gone.Bytes.Length;
        }
    }
}
