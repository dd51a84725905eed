using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace ChatServer.Tests.Support;

/// <summary>
/// A real redis-server on a free loopback port with a directory of its own, gone after disposal. As a class fixture it starts plain;
/// <see cref="StartAsync"/> takes further arguments of redis-server, which come last and so win. With --tls-cert-file among them the
/// port speaks TLS only.
/// </summary>
public sealed class RedisServer : IAsyncLifetime
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(10);

    private readonly string[] _arguments;
    private readonly StringBuilder _output = new();
    private Process? _process;

    public RedisServer()
        : this([])
    {
    }

    private RedisServer(string[] arguments)
    {
        _arguments = arguments;
        AppDomain.CurrentDomain.ProcessExit += KillLeftOver;
    }

    public static string Host => "127.0.0.1";

    /// <summary>The same over <see cref="StopAsync"/> and <see cref="StartAgainAsync"/>.</summary>
    public int Port { get; private set; }

    public string Endpoint => $"{Host}:{Port}";

    /// <summary>Its working directory: dump.rdb and appendonlydir, if asked for, survive a stop there.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("redis-").FullName;

    public int ProcessId => Running.Id;

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>What the server wrote so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    private bool IsTls => _arguments.Contains("--tls-cert-file");

    private Process Running => _process ?? throw new InvalidOperationException("redis-server is not running.");

    public static async Task<RedisServer> StartAsync(params string[] arguments)
    {
        var server = new RedisServer(arguments);
        try
        {
            await server.InitializeAsync();
            return server;
        }
        catch
        {
            // Nobody else will ever hold it.
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask InitializeAsync()
    {
        const int attempts = 5;
        for (var attempt = 1; ; attempt++)
        {
            Port = FreePort();
            try
            {
                await StartAgainAsync();
                return;
            }
            catch (InvalidOperationException) when (attempt < attempts
                && Output.Contains("Address already in use", StringComparison.Ordinal))
            {
                // Between the look for a free port and its use somebody else took it.
            }
        }
    }

    /// <summary>Starts on the same port and in the same directory as before, and waits until it answers.</summary>
    public async Task StartAgainAsync()
    {
        if (IsRunning)
        {
            throw new InvalidOperationException("redis-server is running already.");
        }

        _process?.Dispose();
        _process = Launch();
        var started = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            if (Running.HasExited || started.Elapsed > StartTimeout)
            {
                await StopAsync();
                throw new InvalidOperationException($"redis-server on port {Port} did not answer:\n{Output}");
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Kills it, as a crash would: what it had not written to its directory is lost.</summary>
    public async Task StopAsync()
    {
        if (IsRunning)
        {
            Running.Kill();
        }

        await Running.WaitForExitAsync().WaitAsync(ExitTimeout);
    }

    /// <summary>A client that keeps trying while the server is away.</summary>
    /// <param name="options">Further options of StackExchange.Redis, comma-separated.</param>
    public Task<ConnectionMultiplexer> ConnectAsync(string options = "") =>
        ConnectionMultiplexer.ConnectAsync($"{Endpoint},abortConnect=false,allowAdmin=true,{options}").WaitAsync(StartTimeout);

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillLeftOver;
        if (_process is not null)
        {
            await StopAsync();
            _process.Dispose();
            _process = null;
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private Process Launch()
    {
        var port = $"{Port}";
        string[] listen = IsTls ? ["--port", "0", "--tls-port", port] : ["--port", port];
        var start = new ProcessStartInfo("redis-server")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Directory,
        };
        string[] own = [.. listen, "--bind", Host, "--dir", Directory, "--save", "", "--appendonly", "no", "--daemonize", "no"];
        foreach (var argument in own.Concat(_arguments))
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            lock (_output)
            {
                _output.Clear();
            }

            var process = Process.Start(start) ?? throw new InvalidOperationException("redis-server was not started.");
            process.OutputDataReceived += Keep;
            process.ErrorDataReceived += Keep;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            return process;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException("These tests need a real Redis: apt-get install -y redis-server", e);
        }
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
        {
            _output.AppendLine(line.Data);
        }
    }

    /// <summary>Whether PING is answered: also by NOAUTH if a password is set, but not while the data is loading.</summary>
    private async Task<bool> AnswersAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(Host, Port, timeout.Token);
            await using var stream = await OpenAsync(client, timeout.Token);
            await stream.WriteAsync("PING\r\n"u8.ToArray(), timeout.Token);
            var answer = new byte[64];
            var length = await stream.ReadAsync(answer, timeout.Token);
            return Encoding.ASCII.GetString(answer, 0, length) is ['+', 'P', ..] or ['-', 'N', ..];
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<Stream> OpenAsync(TcpClient client, CancellationToken cancellation)
    {
        if (!IsTls)
        {
            return client.GetStream();
        }

        // Only to see that it is up: who it is, is the business of the tests.
        var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = Host }, cancellation);
        return tls;
    }

    /// <summary>A test run that ends without disposal leaves no server behind.</summary>
    private void KillLeftOver(object? sender, EventArgs e)
    {
        if (IsRunning)
        {
            Running.Kill();
        }
    }
}
