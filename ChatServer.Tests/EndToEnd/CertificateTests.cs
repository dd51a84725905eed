using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ChatServer.Endpoints;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

/// <summary>Certificates that change while the node runs, seen by real TLS clients.</summary>
public sealed class CertificateTests(ChatFixture chat) : IClassFixture<ChatFixture>, IDisposable
{
    private const long Room = 1100;
    private const string Warning = "can't be used";

    private static readonly TimeSpan SeenWithin = 3 * EndpointOptions.CertificateCheckInterval;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("live-");
    private readonly DevCertificate _old = new();
    private readonly DevCertificate _new = new();

    private string CertificateFile => Path.Combine(_folder.FullName, "cert.pem");

    private string KeyFile => Path.Combine(_folder.FullName, "key.pem");

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        _old.Dispose();
        _new.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task New_connections_get_a_new_certificate_and_open_ones_go_on(bool areLinks)
    {
        var (one, two) = ($"one {areLinks}", $"two {areLinks}");
        Func<DevCertificate, Task> putAsync = areLinks ? LinkAsync : CopyAsync;
        await putAsync(_old);
        await using var node = await StartAsync();
        await using var early = await LoginAsync(node, 1, _old);

        await putAsync(_new);

        await Eventually.TrueAsync(() => _new.Is(Presented(node)), SeenWithin, () => string.Join('\n', node.Log.All));
        await using var late = await LoginAsync(node, 2, _new);
        await early.ChatAsync(Room, one, "over the old one");
        (await early.FindAsync("ack")).Text("identifier").Should().Be(one);
        (await late.UntilMessageAsync(one)).Should().NotBeEmpty();
        await late.ChatAsync(Room, two, "over the new one");
        (await early.UntilMessageAsync(two)).Should().NotBeEmpty();
        if (areLinks)
        {
            Warnings(node).Should().Be(0, "both files change in one step");
        }
    }

    [Theory]
    [InlineData("half")]
    [InlineData("half of a chain")]
    [InlineData("no key")]
    [InlineData("gone")]
    public async Task One_that_cannot_be_used_changes_nothing_and_is_warned_of_once(string what)
    {
        await CopyAsync(_old);
        await using var node = await StartAsync();
        var whole = await File.ReadAllTextAsync(_new.CertificateFile);
        switch (what)
        {
            case "half":
                await File.WriteAllTextAsync(CertificateFile, whole[..(whole.Length / 2)]);
                break;
            case "half of a chain":
                await File.AppendAllTextAsync(CertificateFile, $"\n{whole[..(whole.Length / 2)]}");
                break;
            case "no key":
                await File.WriteAllTextAsync(CertificateFile, whole);
                break;
            default:
                File.Delete(CertificateFile);
                break;
        }

        await Eventually.TrueAsync(() => Warnings(node) > 0, SeenWithin, () => "nobody is warned");
        await Task.Delay(2 * EndpointOptions.CertificateCheckInterval);
        Warnings(node).Should().Be(1, "a change is told once");
        _old.Is(Presented(node)).Should().BeTrue();

        await CopyAsync(_new);

        await Eventually.TrueAsync(() => _new.Is(Presented(node)), SeenWithin, () => string.Join('\n', node.Log.All));
    }

    private static int Warnings(TestNode node) => node.Log.All.Count(line =>
        line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains(Warning, StringComparison.Ordinal));

    /// <summary>What the node shows in a new handshake.</summary>
    private static X509Certificate2 Presented(TestNode node)
    {
        X509Certificate2? presented = null;
        using var client = new TcpClient("127.0.0.1", node.TlsPort);
        using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) =>
        {
            presented = certificate is null ? null : X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
            return presented is not null;
        });
        tls.AuthenticateAsClient("localhost");
        return presented!;
    }

    /// <summary>Writes over the files, as most tools do: first one, then the other.</summary>
    private Task CopyAsync(DevCertificate certificate)
    {
        File.Copy(certificate.KeyFile, KeyFile, overwrite: true);
        File.Copy(certificate.CertificateFile, CertificateFile, overwrite: true);
        return Task.CompletedTask;
    }

    /// <summary>As Kubernetes mounts a secret: the files are links through a folder that is a link, and that one is swapped.</summary>
    private async Task LinkAsync(DevCertificate certificate)
    {
        var (data, next) = (Path.Combine(_folder.FullName, "..data"), Path.Combine(_folder.FullName, "..data_tmp"));
        Directory.CreateSymbolicLink(next, Path.GetDirectoryName(certificate.CertificateFile)!);
        await BoundedProcess.RunAsync(["mv", "-T", next, data], _folder.FullName, ChatPeer.Patience);
        if (!File.Exists(KeyFile))
        {
            File.CreateSymbolicLink(KeyFile, Path.Combine("..data", "key.pem"));
            File.CreateSymbolicLink(CertificateFile, Path.Combine("..data", "cert.pem"));
        }
    }

    private Task<TestNode> StartAsync() => TestNode.StartAsync(
        "Production", ListenMode.Wss,
        ("REDIS_HOST", RedisServer.Host), ("REDIS_PORT", $"{chat.Redis.Port}"), ("QUANTUM_SERVER_URL", chat.Quantum.Url.AbsoluteUri),
        ("ALLOWED_HOSTS", "localhost"), ("CERT_FILE", CertificateFile), ("KEY_FILE", KeyFile));

    private async Task<ChatPeer> LoginAsync(TestNode node, long user, DevCertificate trusted)
    {
        using var invoker = new HttpMessageInvoker(trusted.Handler(), disposeHandler: false);
        var peer = await ChatPeer.OpenAsync(node.TlsUrl, "https://localhost", invoker: invoker);
        await peer.SendTextAsync(await chat.Sessions.LoginAsync(user, roomIds: $"[{Room}]"));
        await peer.NextAsync("auth");
        await peer.NextAsync("joined");
        return peer;
    }
}
