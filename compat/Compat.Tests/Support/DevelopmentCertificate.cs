using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Compat.Tests.Support;

/// <summary>A self-signed certificate for 127.0.0.1, made anew for each run.</summary>
internal sealed class DevelopmentCertificate : IDisposable
{
    private readonly ECDsa _key;
    private readonly X509Certificate2 _certificate;

    private DevelopmentCertificate(ECDsa key, X509Certificate2 certificate)
    {
        _key = key;
        _certificate = certificate;
    }

    /// <summary>What tells it from every other certificate.</summary>
    public string Thumbprint => _certificate.Thumbprint;

    public static DevelopmentCertificate Create()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return new DevelopmentCertificate(key, request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1)));
    }

    /// <summary>Writes certificate and key into a directory, for a server that reads files.</summary>
    public (string Certificate, string Key) WritePem(string directory)
    {
        var certificate = Path.Combine(directory, "server.crt");
        var key = Path.Combine(directory, "server.key");
        File.WriteAllText(certificate, _certificate.ExportCertificatePem());
        File.WriteAllText(key, _key.ExportPkcs8PrivateKeyPem());
        return (certificate, key);
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
