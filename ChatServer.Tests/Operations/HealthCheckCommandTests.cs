using System.Net;
using ChatServer.Endpoints;
using ChatServer.Operations;
using ChatServer.Tests.Operations.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

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

    private static Task<int> RunAsync(int wsPort, int wssPort) =>
        HealthCheckCommand.RunAsync(new EndpointOptions(
            ListenMode.Both, IPAddress.Loopback, wsPort, wssPort, null, new OriginPolicy([], allowMissing: false), false))
            .WaitAsync(Patience);
}
