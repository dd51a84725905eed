using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChatServer.Configuration;

namespace ChatServer.Endpoints;

/// <summary>A certificate, with its chain, and its key, in PEM files.</summary>
internal sealed record PemFiles(string CertificateFile, string KeyFile)
{
    /// <summary>Where certs/make-dev-cert.sh puts its certificate.</summary>
    private static readonly PemFiles Development = new("certs/dev-cert.pem", "certs/dev-key.pem");

    /// <summary>Reads CERT_FILE and KEY_FILE and tries them, so that a wrong one stops the start and not the first client.</summary>
    public static PemFiles? Read(SettingReader settings, bool isNeeded, bool isDevelopment)
    {
        var certificate = settings.Text("CERT_FILE");
        var key = settings.Text("KEY_FILE");
        if (!isNeeded)
        {
            return null;
        }

        if (certificate is null && key is null && isDevelopment && File.Exists(Development.CertificateFile))
        {
            (certificate, key) = Development;
        }

        if (certificate is null || key is null)
        {
            settings.Mistake(
                certificate is null ? "CERT_FILE" : "KEY_FILE",
                "is missing: wss needs a certificate and its key; certs/make-dev-cert.sh makes some for development.");
            return null;
        }

        var files = new PemFiles(certificate, key);
        if (files.WhatIsWrong() is var (name, problem))
        {
            settings.Mistake(name, problem);
            return null;
        }

        return files;
    }

    /// <exception cref="CryptographicException">The files don't hold a certificate and its key.</exception>
    public X509Certificate2 Load() => X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile);

    /// <summary>The intermediate certificates, which clients need to build a chain to one that they trust.</summary>
    public X509Certificate2Collection LoadChain()
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(CertificateFile);
        return chain;
    }

    private int Blocks() =>
        File.ReadLines(CertificateFile).Count(line => line.StartsWith("-----BEGIN CERTIFICATE-----", StringComparison.Ordinal));

    /// <returns>The setting to look at, and the end of a sentence that begins with it; null if the files can be used.</returns>
    public (string Name, string Problem)? WhatIsWrong()
    {
        foreach (var (name, file) in (ReadOnlySpan<(string, string)>)[("CERT_FILE", CertificateFile), ("KEY_FILE", KeyFile)])
        {
            try
            {
                using var _ = File.OpenRead(file);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return (name, $"can't be read: {exception.Message}");
            }
        }

        try
        {
            using var _ = Load();
            var (chain, blocks) = (LoadChain(), Blocks());
            foreach (var certificate in chain)
            {
                certificate.Dispose();
            }

            // .NET passes over a block that is damaged, and clients would miss an intermediate certificate.
            return chain.Count == blocks
                ? null
                : ("CERT_FILE", $"has {blocks} certificates, of which {blocks - chain.Count} are damaged.");
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            // The latter is .NET's answer to the key of another certificate.
            return ("CERT_FILE", $"and KEY_FILE are not a PEM certificate and its key: {exception.Message}");
        }
    }
}
