using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples;

/// <summary>certs/make-dev-cert.sh, run on a copy of its own: with openssl, and without it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class DevCertificateTests : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    // All that the script needs besides openssl.
    private static readonly string[] Tools = ["sh", "dirname", "mktemp", "rm", "mv", "chmod", "cat", "find", "grep", "dotnet"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("certs ");

    public DevCertificateTests() =>
        File.Copy(Repository.PathOf("certs", "make-dev-cert.sh"), Path.Combine(_folder.FullName, "make-dev-cert.sh"));

    private string KeyFile => Path.Combine(_folder.FullName, "dev-key.pem");

    [Fact]
    public async Task DevCertificate_ByOpenSsl_FitsLocalhostAndTheHostsNamed()
    {
        await MakeAsync(null, "chat.example.test", "192.0.2.7");

        using var certificate = Load();
        certificate.GetECDsaPrivateKey()!.ExportParameters(false).Curve.Oid.FriendlyName.Should().BeOneOf("nistP256", "ECDSA_P256");
        ShouldServe(certificate);
        certificate.MatchesHostname("chat.example.test").Should().BeTrue();
        certificate.MatchesHostname("192.0.2.7").Should().BeTrue();
        certificate.MatchesHostname("example.test").Should().BeFalse();
        _folder.EnumerateFileSystemInfos().Should().HaveCount(3, "nothing is left beside certificate and key");
    }

    [Fact]
    public async Task DevCertificate_WithoutOpenSsl_IsTheSdksOwn()
    {
        await MakeAsync(HideOpenSsl());
        using var certificate = Load();
        ShouldServe(certificate);

        (await MakeAsync(HideOpenSsl())).TrimStart().Should().StartWith("Kept");
        (await RunAsync(HideOpenSsl(), "chat.example.test")).ExitCode.Should().Be(1, "the SDK's certificate cannot carry other hosts");
        Load().Thumbprint.Should().Be(certificate.Thumbprint);
    }

    [Fact]
    public async Task DevCertificate_MadeAgain_IsKeptAsLongAsItIsGood()
    {
        await MakeAsync(null);
        var first = Load().Thumbprint;

        (await MakeAsync(null)).TrimStart().Should().StartWith("Kept");
        Load().Thumbprint.Should().Be(first);

        (await MakeAsync(null, "--force")).TrimStart().Should().StartWith("Made");
        var forced = Load().Thumbprint;
        forced.Should().NotBe(first);

        (await MakeAsync(null, "chat.example.test")).TrimStart().Should().StartWith("Made", "it did not cover this host");
        (await MakeAsync(null)).TrimStart().Should().StartWith("Kept", "it covers more than is asked for");

        await File.WriteAllTextAsync(KeyFile, "no key");
        (await MakeAsync(null)).TrimStart().Should().StartWith("Made", "certificate and key did not belong together");
    }

    [Theory]
    [InlineData("--unknown")]
    [InlineData("a b")]
    [InlineData("a,DNS:b")]
    public async Task DevCertificate_WithAnOddArgument_IsNotMade(string argument)
    {
        (await RunAsync(null, argument)).ExitCode.Should().Be(2);
        File.Exists(KeyFile).Should().BeFalse();
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private void ShouldServe(X509Certificate2 certificate)
    {
        certificate.MatchesHostname("localhost").Should().BeTrue();
        certificate.MatchesHostname(IPAddress.Loopback.ToString()).Should().BeTrue();
        certificate.MatchesHostname(IPAddress.IPv6Loopback.ToString()).Should().BeTrue();
        (certificate.NotAfter - certificate.NotBefore).Should().BeLessThanOrEqualTo(TimeSpan.FromDays(825));
        certificate.NotAfter.Should().BeAfter(TimeProvider.System.GetLocalNow().DateTime.AddDays(300));
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Should().ContainSingle()
            .Which.EnhancedKeyUsages[ServerAuthentication].Should().NotBeNull();
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Should().ContainSingle().Which.CertificateAuthority.Should()
            .BeFalse();
        File.GetUnixFileMode(KeyFile).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private X509Certificate2 Load() => X509Certificate2.CreateFromPemFile(Path.Combine(_folder.FullName, "dev-cert.pem"), KeyFile);

    private async Task<string> MakeAsync(string? path, params string[] arguments)
    {
        var (exitCode, output) = await RunAsync(path, arguments);
        exitCode.Should().Be(0, "{0}", output);
        return output;
    }

    private Task<(int ExitCode, string Output)> RunAsync(string? path, params string[] arguments) => BoundedProcess.RunAsync(
        ["/bin/sh", Path.Combine(_folder.FullName, "make-dev-cert.sh"), .. arguments],
        "/",
        TimeSpan.FromSeconds(60),
        ("PATH", path ?? Environment.GetEnvironmentVariable("PATH")),
        ("DOTNET_NOLOGO", "1"),
        // The SDK keeps its certificate in the home folder: not in the tester's.
        ("HOME", path is null ? Environment.GetEnvironmentVariable("HOME") : _folder.CreateSubdirectory("home").FullName));

    /// <summary>A search path with all tools except openssl.</summary>
    private string HideOpenSsl()
    {
        var tools = _folder.CreateSubdirectory("tools");
        foreach (var tool in Tools.Where(tool => !File.Exists(Path.Combine(tools.FullName, tool))))
        {
            var found = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, tool))
                .First(File.Exists);
            File.CreateSymbolicLink(Path.Combine(tools.FullName, tool), new FileInfo(found).ResolveLinkTarget(true)?.FullName ?? found);
        }

        return tools.FullName;
    }
}
