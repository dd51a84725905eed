using System.Net;
using ChatServer.Endpoints;
using ChatServer.Operations;
using ChatServer.Tests.Operations.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Operations;

public sealed class HealthCheckCommandTests(DevCertificate certificate) : IClassFixture<DevCertificate>
{
    private const int Limit = 30_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact(Timeout = Limit)]
    public async Task Run_AliveOnThePlainPort_IsZero()
    {
        await using var site = await HttpSite.StartAsync(app => app.MapGet("/healthz", () => "alive"));

        (await RunAsync(site.Port, FreePort.Next())).Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Run_AliveOnTheTlsPortOnly_IsZeroWhoeverTheCertificateIsFor()
    {
        await using var site = await HttpSite.StartAsync(
            app => app.MapGet("/healthz", () => "alive"), listen: listen => listen.UseHttps(certificate.Load()));

        (await RunAsync(FreePort.Next(), site.Port)).Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Run_NobodyListens_IsOne() => (await RunAsync(FreePort.Next(), FreePort.Next())).Should().Be(1);

    [Fact(Timeout = Limit)]
    public async Task Run_ItAnswersAndIsNotWell_IsOne()
    {
        await using var site = await HttpSite.StartAsync(
            app => app.MapGet("/healthz", () => Results.StatusCode((int)HttpStatusCode.ServiceUnavailable)));

        (await RunAsync(site.Port, FreePort.Next())).Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task Run_ItAcceptsAndSaysNothing_IsOneWithinSeconds()
    {
        await using var site = await HttpSite.StartAsync(
            app => app.MapGet("/healthz", context => Task.Delay(Timeout.Infinite, context.RequestAborted)));

        (await RunAsync(site.Port, FreePort.Next())).Should().Be(1);
    }

    [Theory(Timeout = Limit)]
    [InlineData("127.0.0.2", "127.0.0.2", 0)]
    [InlineData("127.0.0.2", "127.0.0.1", 1)]
    [InlineData("127.0.0.1", "0.0.0.0", 0)]
    [InlineData("::1", "::", 0)]
    [InlineData("::1", "::1", 0)]
    [InlineData("127.0.0.1", null, 0)]
    public async Task Run_TheListenAddress_IsTheOneThatIsAsked(string listens, string? setting, int code)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Parse(listens), 0));
        await using var app = builder.Build();
        app.MapGet("/healthz", () => "alive");
        await app.StartAsync().WaitAsync(Patience);

        (await RunAsync(new Uri(app.Urls.Single()).Port, FreePort.Next(), setting is null ? null : IPAddress.Parse(setting)))
            .Should().Be(code);
    }

    private static Task<int> RunAsync(int wsPort, int wssPort) => RunAsync(wsPort, wssPort, IPAddress.Loopback);

    private static Task<int> RunAsync(int wsPort, int wssPort, IPAddress? address) =>
        HealthCheckCommand.RunAsync(new EndpointOptions(
            ListenMode.Both, address, wsPort, wssPort, null, new OriginPolicy([], allowMissing: false), false))
            .WaitAsync(Patience);
}
