using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ChatServer.Bench.Servers;

/// <summary>A certificate for localhost that this program makes for itself; its files go when it ends.</summary>
internal sealed class DevCertificate
{
    private static readonly Lazy<DevCertificate> Made = new(() => new());

    private readonly string _hash;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bench-cert-");

    private DevCertificate()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => _directory.Delete(recursive: true);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        File.WriteAllText(CertFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        _hash = certificate.GetCertHashString(HashAlgorithmName.SHA256);
    }

    public static DevCertificate Shared => Made.Value;

    public string CertFile => Path.Combine(_directory.FullName, "cert.pem");

    public string KeyFile => Path.Combine(_directory.FullName, "key.pem");

    public bool Is(X509Certificate? certificate) => certificate?.GetCertHashString(HashAlgorithmName.SHA256) == _hash;
}
