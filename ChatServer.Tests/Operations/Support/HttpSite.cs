using ChatServer.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Operations.Support;

/// <summary>A real HTTP server on a free loopback port, with the endpoints and services that a test gives it.</summary>
internal sealed class HttpSite : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HttpSite(WebApplication app)
    {
        _app = app;
        Http = new() { BaseAddress = new($"http://127.0.0.1:{Port}"), Timeout = TimeSpan.FromSeconds(15) };
    }

    public HttpClient Http { get; }

    public int Port => new Uri(_app.Urls.Single()).Port;

    /// <summary>Says that it is about to stop; it goes on answering.</summary>
    public void AnnounceStop() => _app.Lifetime.StopApplication();

    /// <param name="listen">What its port speaks; null: plain HTTP.</param>
    public static async Task<HttpSite> StartAsync(
        Action<WebApplication> map, Action<IServiceCollection>? services = null, Action<ListenOptions>? listen = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen ?? (_ => { })));
        builder.Services.AddSingleton<BacklogGauge>();
        services?.Invoke(builder.Services);
        var app = builder.Build();
        map(app);
        await app.StartAsync().WaitAsync(TimeSpan.FromSeconds(15));
        return new(app);
    }

    public async Task<(int Status, string Text)> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(new Uri(path, UriKind.Relative));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1)); // Then open requests are cut.
        await _app.StopAsync(patience.Token).WaitAsync(TimeSpan.FromSeconds(15));
        await _app.DisposeAsync();
    }
}
