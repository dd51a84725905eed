using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Compat.Tests.Support;

/// <summary>A real redis-server of the tests' own: free ports, a directory of its own, gone when they end.</summary>
public sealed class RedisServer : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("compat-redis-").FullName;
    private Process? _process;

    /// <summary>Where it speaks plain RESP.</summary>
    public IPEndPoint EndPoint { get; } = FreeEndPoint();

    /// <summary>Where it speaks RESP over TLS.</summary>
    public IPEndPoint TlsEndPoint { get; } = FreeEndPoint();

    /// <summary>The certificate that it shows at <see cref="TlsEndPoint"/>.</summary>
    internal DevelopmentCertificate Certificate { get; } = DevelopmentCertificate.Create();

    public async ValueTask InitializeAsync()
    {
        var (certificate, key) = Certificate.WritePem(_directory);
        string[] arguments =
        [
            "--port", $"{EndPoint.Port}", "--bind", "127.0.0.1", "--dir", _directory, "--save", "", "--appendonly", "no",
            "--loglevel", "warning", "--logfile", Path.Combine(_directory, "redis.log"),
            "--tls-port", $"{TlsEndPoint.Port}", "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no",
        ];
        try
        {
            _process = Process.Start(new ProcessStartInfo("redis-server", arguments) { UseShellExecute = false });
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException("These tests need redis-server: apt-get install -y redis-server", e);
        }

        await WaitUntilItAnswersAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync().WaitAsync(Limits.Short);
            _process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
        Certificate.Dispose();
    }

    /// <summary>Settings for the server itself, or for a proxy in front of it.</summary>
    internal ConfigurationOptions Options(EndPoint? proxy = null) => new()
    {
        EndPoints = { proxy ?? EndPoint },
        AbortOnConnectFail = false,
        AllowAdmin = true,
        SyncTimeout = 30_000,
        AsyncTimeout = 30_000,
        ConnectTimeout = 5_000,
        ReconnectRetryPolicy = new LinearRetry(100),
    };

    /// <summary>Connects, to the server itself or through a proxy.</summary>
    internal async Task<ConnectionMultiplexer> ConnectAsync(EndPoint? proxy = null) =>
        await ConnectionMultiplexer.ConnectAsync(Options(proxy)).WaitAsync(Limits.Long);

    private static IPEndPoint FreeEndPoint()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    private async Task WaitUntilItAnswersAsync()
    {
        using var limit = new CancellationTokenSource(Limits.Short);
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(EndPoint, limit.Token);
                return;
            }
            catch (SocketException) when (_process is { HasExited: false })
            {
                await Task.Delay(20, limit.Token);
            }
        }
    }
}
