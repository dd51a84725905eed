using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

public sealed class RedisTlsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("redis-tls-");
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

    [Fact]
    public async Task Redis_over_TLS_is_ready_only_if_its_certificate_is_trusted()
    {
        var (certificate, key) = await CertificateAsync();
        await using var redis = await RedisServer.StartAsync(
            "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no");
        await using var trusting = Node(redis, ("SSL_CERT_FILE", certificate));
        await using var doubting = Node(redis, ("SSL_CERT_FILE", null));

        await trusting.StartAsync();
        await doubting.StartAsync();

        await Eventually.AnswerAsync(
            () => _http.GetStringAsync(Ready(trusting)), () => !trusting.IsRunning, () => string.Join('\n', trusting.Log));
        using var answer = await _http.GetAsync(Ready(doubting));
        answer.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
    }

    public void Dispose()
    {
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    private static NodeProcess Node(RedisServer redis, (string Name, string? Value) trust) =>
        new(redis.Port, FreePort.Next(), null, ("REDIS_HOST", "localhost"), ("CHAT_REDIS_TLS", "true"), trust);

    private static Uri Ready(NodeProcess node) => new($"http://127.0.0.1:{node.Port}/readyz");

    private async Task<(string Certificate, string Key)> CertificateAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2120, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var paths = (Certificate: Path.Combine(_folder.FullName, "cert.pem"), Key: Path.Combine(_folder.FullName, "key.pem"));
        await File.WriteAllTextAsync(paths.Certificate, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(paths.Key, key.ExportPkcs8PrivateKeyPem());
        return paths;
    }
}
