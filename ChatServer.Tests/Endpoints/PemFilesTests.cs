using ChatServer.Endpoints;
using ChatServer.Tests.Configuration.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Endpoints;

public sealed class PemFilesTests : IDisposable
{
    private readonly DevCertificate _certificate = new();
    private readonly DevCertificate _other = new();

    public void Dispose()
    {
        _certificate.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void Read_ACertificateAndItsKey_CanBeLoaded()
    {
        var files = Read(_certificate.CertificateFile, _certificate.KeyFile, mistake: null)!;

        using var loaded = files.Load();
        loaded.HasPrivateKey.Should().BeTrue();
        _certificate.Is(loaded).Should().BeTrue();
    }

    [Fact]
    public void LoadChain_SeveralCertificatesInTheFile_GivesAllOfThem()
    {
        File.AppendAllText(_certificate.CertificateFile, "\n" + File.ReadAllText(_other.CertificateFile));

        var files = Read(_certificate.CertificateFile, _certificate.KeyFile, mistake: null)!;

        var chain = files.LoadChain();
        chain.Should().HaveCount(2);
        _certificate.Is(chain[0]).Should().BeTrue();
        _other.Is(chain[1]).Should().BeTrue();
        using var loaded = files.Load();
        _certificate.Is(loaded).Should().BeTrue("the server's own comes first");
    }

    [Theory]
    [InlineData(false, false, "CERT_FILE: is missing")]
    [InlineData(false, true, "CERT_FILE: is missing")]
    [InlineData(true, false, "KEY_FILE: is missing")]
    public void Read_OneIsNotSet_IsAMistakeThatNamesIt(bool certificate, bool key, string mistake) =>
        Read(certificate ? _certificate.CertificateFile : null, key ? _certificate.KeyFile : null, mistake).Should().BeNull();

    [Fact]
    public void Read_AFileIsNotThere_IsAMistakeThatNamesIt()
    {
        Read(_certificate.CertificateFile + ".old", _certificate.KeyFile, "CERT_FILE: can't be read").Should().BeNull();
        Read(_certificate.CertificateFile, _certificate.KeyFile + ".old", "KEY_FILE: can't be read").Should().BeNull();
        Read(Path.GetDirectoryName(_certificate.CertificateFile), _certificate.KeyFile, "CERT_FILE: can't be read").Should().BeNull();
    }

    [Fact]
    public void Read_TheKeyOfAnother_IsAMistake() =>
        Read(_certificate.CertificateFile, _other.KeyFile, "CERT_FILE: and KEY_FILE are not").Should().BeNull();

    [Fact]
    public void Read_TheTwoMixedUp_IsAMistake() =>
        Read(_certificate.KeyFile, _certificate.CertificateFile, "CERT_FILE: and KEY_FILE are not").Should().BeNull();

    [Theory]
    [InlineData("")]
    [InlineData("no PEM at all")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public void Read_NoCertificateInTheFile_IsAMistake(string text)
    {
        File.WriteAllText(_certificate.CertificateFile, text);

        Read(_certificate.CertificateFile, _certificate.KeyFile, "CERT_FILE: and KEY_FILE are not").Should().BeNull();
    }

    [Theory]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END OTHER-----\n")]
    public void Read_ALaterBlockIsDamaged_IsAMistake(string block)
    {
        File.AppendAllText(_certificate.CertificateFile, "\n" + block);

        Read(_certificate.CertificateFile, _certificate.KeyFile, "CERT_FILE: ").Should().BeNull();
    }

    [Fact]
    public void Read_NotNeeded_IsNotLookedAt()
    {
        var reader = TestSettings.Reader(("CERT_FILE", "/nowhere/cert.pem"), ("KEY_FILE", "/nowhere/key.pem"));

        PemFiles.Read(reader, isNeeded: false, isDevelopment: false).Should().BeNull();

        reader.Mistakes.Should().BeEmpty();
        reader.KnownNames.Should().BeEquivalentTo("CERT_FILE", "KEY_FILE");
    }

    private static PemFiles? Read(string? certificate, string? key, string? mistake)
    {
        var reader = TestSettings.Reader(("CERT_FILE", certificate), ("KEY_FILE", key));
        var files = PemFiles.Read(reader, isNeeded: true, isDevelopment: false);
        if (mistake is null)
        {
            reader.Mistakes.Should().BeEmpty();
        }
        else
        {
            reader.Mistakes.Should().ContainSingle().Which.Should().StartWith(mistake);
        }

        return files;
    }
}
