using System.Globalization;
using ChatServer.Connections;
using ChatServer.Endpoints;
using ChatServer.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Support;

/// <summary>The service, whole, on free loopback ports, inside of the test's process.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestNode(WebApplication app, LogLines log)
    {
        (_app, Log) = (app, log);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Port = addresses.Select(address => new Uri(address)).FirstOrDefault(address => address.Scheme == "http")?.Port ?? 0;
        TlsPort = addresses.Select(address => new Uri(address)).FirstOrDefault(address => address.Scheme == "https")?.Port ?? 0;
    }

    public int Port { get; }

    public int TlsPort { get; }

    public Uri Url => new($"ws://127.0.0.1:{Port}/ws");

    public Uri TlsUrl => new($"wss://localhost:{TlsPort}/ws");

    public Uri Http => new($"http://127.0.0.1:{Port}/");

    public LogLines Log { get; }

    public IServiceProvider Services => _app.Services;

    public ConnectionRegistry Connections => Services.GetRequiredService<ConnectionRegistry>();

    public static Task<TestNode> StartAsync(RedisServer redis, Uri quantum, params (string Name, string Value)[] settings) =>
        StartAsync("Production", ListenMode.Ws,
        [
            ("REDIS_HOST", RedisServer.Host), ("REDIS_PORT", redis.Port.ToString(CultureInfo.InvariantCulture)),
            ("QUANTUM_SERVER_URL", quantum.AbsoluteUri), ("ALLOWED_HOSTS", "localhost"), ("RATE_LIMIT", "0"), .. settings,
        ]);

    public static async Task<TestNode> StartAsync(string environment, ListenMode mode, params (string Name, string Value)[] settings)
    {
        var log = new LogLines();
        var builder = ChatServerHost.CreateBuilder(environment);
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(
            new[] { ("CHAT_LISTEN_ADDRESS", "127.0.0.1"), ("WS_PORT", "0"), ("WSS_PORT", "0"), ("DRAIN_SECONDS", "0") }.Concat(settings)
                .GroupBy(setting => setting.Item1, setting => (string?)setting.Item2)
                .ToDictionary(setting => setting.Key, setting => setting.Last()));
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        var app = ChatServerHost.Build(builder, ChatSettings.Read(builder.Configuration, mode, environment == "Development"));
        try
        {
            await app.StartAsync().WaitAsync(TimeSpan.FromSeconds(30));
            return new TestNode(app, log);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public Task StopAsync() => _app.StopAsync().WaitAsync(TimeSpan.FromSeconds(30));

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync();
    }
}
