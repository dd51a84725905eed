using System.Collections.Concurrent;
using ChatServer.Embedded.Demo;
using ChatServer.Quantum;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Embedded.Demo.Support;

/// <summary>The demo on a free port of the loopback, with nothing of the chat service around it.</summary>
internal sealed class DemoHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DemoHost(WebApplication app, RecordedSessions sessions)
    {
        _app = app;
        Sessions = sessions;
        Url = new Uri(app.Urls.Single());
        Http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(10) };
    }

    public Uri Url { get; }

    public HttpClient Http { get; }

    public RecordedSessions Sessions { get; }

    public static async Task<DemoHost> StartAsync(
        TimeProvider? time = null, Action<WebApplication>? more = null, string? serviceToken = null)
    {
        var sessions = new RecordedSessions();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton<IDemoSessions>(sessions);
        builder.Services.AddSingleton(new QuantumOptions(null, TimeSpan.FromSeconds(10), serviceToken)).AddDemo();
        var app = builder.Build();
        app.MapDemo();
        more?.Invoke(app);
        await app.StartAsync().WaitAsync(TimeSpan.FromSeconds(20));
        return new DemoHost(app, sessions);
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1)); // Then open sockets are cut.
        await _app.StopAsync(patience.Token).WaitAsync(TimeSpan.FromSeconds(20));
        await _app.DisposeAsync();
    }
}

internal sealed class RecordedSessions : IDemoSessions
{
    public ConcurrentDictionary<string, (byte[] Value, TimeSpan TimeToLive)> Records { get; } = new(StringComparer.Ordinal);

    public void Put(string sessionKey, byte[] value, TimeSpan timeToLive) => Records[sessionKey] = (value, timeToLive);

    public void Remove(string sessionKey) => Records.TryRemove(sessionKey, out _);
}
