using System.Net;
using ChatServer.Configuration;
using ChatServer.Endpoints;
using ChatServer.Tests.Configuration.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Endpoints;

public sealed class EndpointOptionsTests(DevCertificate certificate) : IClassFixture<DevCertificate>
{
    [Fact]
    public void Read_Production_GivesTheContractsDefaults()
    {
        var reader = TestSettings.Reader(("ALLOWED_HOSTS", "chat.example"));

        var options = Read(reader);

        reader.Mistakes.Should().BeEmpty();
        (options.Address, options.WsPort, options.WssPort, options.Certificate, options.Deflates).Should()
            .Be((null, 8888, 8889, null, false));
        options.Origins.Allows("https://chat.example").Should().BeTrue();
        options.Origins.Allows("http://localhost").Should().BeFalse();
        options.Origins.Allows((string?)null).Should().BeFalse();
    }

    [Fact]
    public void Read_ProductionWithoutAllowedHosts_IsAMistake()
    {
        var reader = TestSettings.Reader();

        Read(reader);

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith("ALLOWED_HOSTS: is missing");
    }

    [Fact]
    public void Read_Development_LetsPagesOfThisMachineInOnly()
    {
        var reader = TestSettings.Reader();

        var options = Read(reader, isDevelopment: true);

        reader.Mistakes.Should().BeEmpty();
        foreach (var origin in (string[])["http://localhost:5173", "http://127.0.0.1:8888", "http://[::1]"])
        {
            options.Origins.Allows(origin).Should().BeTrue("the origin is {0}", origin);
        }

        options.Origins.Allows("https://chat.example").Should().BeFalse();
        options.Address.Should().BeNull("a development server with a Quantum may be asked from elsewhere");
    }

    [Fact]
    public void Read_Embedded_ListensOnTheLoopbackUnlessToldOtherwise()
    {
        Read(TestSettings.Reader(), isEmbedded: true, isDevelopment: true).Address.Should().Be(IPAddress.Loopback);
        Read(TestSettings.Reader(("CHAT_LISTEN_ADDRESS", "*")), isEmbedded: true, isDevelopment: true).Address.Should().BeNull();
    }

    [Fact]
    public void Read_AllSet_TakesEachByItsName()
    {
        var reader = TestSettings.Reader(
            ("ALLOWED_HOSTS", "chat.example"), ("WS_PORT", "0"), ("WSS_PORT", "65535"), ("CHAT_LISTEN_ADDRESS", "::1"),
            ("CHAT_PERMESSAGE_DEFLATE", "true"), ("CERT_FILE", certificate.CertificateFile), ("KEY_FILE", certificate.KeyFile),
            ("ALLOW_MISSING_ORIGIN", "true"));

        var options = Read(reader, ListenMode.Both);

        reader.Mistakes.Should().BeEmpty();
        (options.Mode, options.WsPort, options.WssPort, options.Address, options.Deflates).Should()
            .Be((ListenMode.Both, 0, 65535, IPAddress.IPv6Loopback, true));
        options.Certificate.Should().Be(new PemFiles(certificate.CertificateFile, certificate.KeyFile));
        options.Origins.Allows((string?)null).Should().BeTrue();
    }

    [Theory]
    [InlineData("WS_PORT", "-1")]
    [InlineData("WS_PORT", "65536")]
    [InlineData("WSS_PORT", "https")]
    [InlineData("CHAT_LISTEN_ADDRESS", "localhost")]
    [InlineData("CHAT_LISTEN_ADDRESS", "127.0.0.1:8888")]
    [InlineData("CHAT_PERMESSAGE_DEFLATE", "1")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader(("ALLOWED_HOSTS", "chat.example"), (name, value));

        Read(reader);

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: \"{value}\" ");
    }

    [Theory]
    [InlineData((int)ListenMode.Ws, false)]
    [InlineData((int)ListenMode.Wss, true)]
    [InlineData((int)ListenMode.Both, true)]
    public void Read_WithoutACertificate_IsAMistakeWhereTlsIsServed(int mode, bool isMistake)
    {
        var reader = TestSettings.Reader(("ALLOWED_HOSTS", "chat.example"));

        Read(reader, (ListenMode)mode);

        reader.Mistakes.Any(mistake => mistake.StartsWith("CERT_FILE: ", StringComparison.Ordinal)).Should().Be(isMistake);
    }

    private static EndpointOptions Read(
        SettingReader reader, ListenMode mode = ListenMode.Ws, bool isEmbedded = false, bool isDevelopment = false) =>
        EndpointOptions.Read(reader, mode, isEmbedded, isDevelopment);
}
