using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ChatServer.Tests.Support;

public sealed class RedisServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task RedisServer_Disposed_LeavesNoProcessAndNoDirectory()
    {
        var server = await RedisServer.StartAsync().WaitAsync(Patience);
        var (pid, directory) = (server.ProcessId, server.Directory);

        await server.DisposeAsync().AsTask().WaitAsync(Patience);

        Directory.Exists(directory).Should().BeFalse();
        FluentActions.Invoking(() => Process.GetProcessById(pid)).Should().Throw<ArgumentException>();
    }

    [Fact]
    public async Task RedisServer_StoppedAndStartedAgain_KeepsPortAndFileButNotMemory()
    {
        await using var server = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always").WaitAsync(Patience);
        var (port, pid) = (server.Port, server.ProcessId);
        await using (var before = await server.ConnectAsync())
        {
            await before.GetDatabase().StringSetAsync("kept", "yes").WaitAsync(Patience);
        }

        await server.StopAsync().WaitAsync(Patience);
        server.IsRunning.Should().BeFalse();
        await server.StartAgainAsync().WaitAsync(Patience);

        await using var after = await server.ConnectAsync();
        (await after.GetDatabase().StringGetAsync("kept").WaitAsync(Patience)).ToString().Should().Be("yes");
        server.Port.Should().Be(port);
        server.ProcessId.Should().NotBe(pid);
    }

    [Fact]
    public async Task RedisServer_WithPassword_CountsAsUp()
    {
        await using var server = await RedisServer.StartAsync("--requirepass", "sesame").WaitAsync(Patience);
        await using var redis = await server.ConnectAsync("password=sesame");

        (await redis.GetDatabase().PingAsync().WaitAsync(Patience)).Should().BePositive();
    }

    [Fact]
    public async Task RedisServer_WithCertificate_SpeaksTls()
    {
        var folder = Directory.CreateTempSubdirectory("redis-cert-");
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
            using var certificate = request.CreateSelfSigned(
                new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero));
            var (certFile, keyFile) = (Path.Combine(folder.FullName, "cert.pem"), Path.Combine(folder.FullName, "key.pem"));
            await File.WriteAllTextAsync(certFile, certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());

            await using var server = await RedisServer.StartAsync(
                "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", certFile, "--tls-auth-clients",
                "no").WaitAsync(Patience);

            server.IsRunning.Should().BeTrue();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task RedisServer_WithABadArgument_SaysWhatRedisSaid() =>
        (await FluentActions.Awaiting(() => RedisServer.StartAsync("--no-such-directive", "1"))
            .Should().ThrowAsync<InvalidOperationException>())
            .WithMessage("*no-such-directive*");
}
