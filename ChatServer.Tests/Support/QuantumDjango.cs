using System.ComponentModel;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace ChatServer.Tests.Support;

/// <summary>
/// The sample Django project, migrated and seeded into a folder of its own and served on a free loopback port, beside its Redis.
/// </summary>
public sealed class QuantumDjango : IAsyncLifetime
{
    private const string Packages = "python3-django python3-djangorestframework python3-redis python3-cryptography redis-server";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("quantum-");
    private SampleRedis? _redis;
    private BoundedProcess? _server;

    /// <summary>What <c>QUANTUM_SERVER_URL</c> is to be.</summary>
    public Uri Url { get; private set; } = null!;

    /// <summary>The working directory of the server and of <see cref="ManageAsync"/>, gone at the end.</summary>
    public string Folder => _folder.FullName;

    internal SampleRedis Redis => _redis!;

    /// <summary>
    /// The seeded rooms: Acme (1) has General (1; anna, ben, carla) and Plans (2; anna, ben), Globex (2) has General (3; anna, dora).
    /// </summary>
    public async ValueTask InitializeAsync()
    {
        try
        {
            await StartAsync();
        }
        catch (Exception missing) when (missing is Win32Exception || missing.Message.Contains("ModuleNotFoundError"))
        {
            await DisposeAsync();
            throw new InvalidOperationException($"The Django sample needs: sudo apt-get install {Packages}", missing);
        }
        catch
        {
            // Nobody disposes of a fixture whose start failed, and its servers would stay.
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs <c>manage.py</c> with these arguments to its end and gives its output; any exit code but 0 is an error.</summary>
    public async Task<string> ManageAsync(params string[] arguments)
    {
        var (exitCode, output) = await BoundedProcess.RunAsync(Command(arguments), _folder.FullName, Limit, Environment);
        return exitCode == 0 ? output : throw new InvalidOperationException($"manage.py {arguments[0]} ended with {exitCode}:\n{output}");
    }

    /// <summary>Logs in as one of the seeded users.</summary>
    public async Task<QuantumLogin> LogInAsync(string user, long companyId)
    {
        var cookies = new CookieContainer();
        var client = new HttpClient(new SocketsHttpHandler { CookieContainer = cookies }) { BaseAddress = Url, Timeout = Limit };
        // With its length: Django's server takes a chunked body, as PostAsJsonAsync sends it, for an empty one.
        using var form = new StringContent(
            $$"""{"username":"{{user}}","password":"chat","company_id":{{companyId}}}""", MediaTypeHeaderValue.Parse("application/json"));
        using var answer = await client.PostAsync("/login/", form);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        answer.StatusCode.Should().Be(HttpStatusCode.OK, "{0}", body);
        return new QuantumLogin(client, cookies, body);
    }

    public async ValueTask DisposeAsync()
    {
        await (_server?.DisposeAsync() ?? default);
        await (_redis?.DisposeAsync() ?? default);
        (_server, _redis) = (null, null);
        if (Directory.Exists(_folder.FullName))
        {
            _folder.Delete(recursive: true);
        }
    }

    private async Task StartAsync()
    {
        _redis = await SampleRedis.StartAsync(_folder.FullName);
        await ManageAsync("migrate", "-v", "0");
        (await ManageAsync("seed")).Should().Contain("company 2 Globex, room 3 General: anna, dora");

        var port = FreePort.Next();
        Url = new Uri($"http://127.0.0.1:{port}");
        _server = BoundedProcess.Start(Command("runserver", "--noreload", $"127.0.0.1:{port}"), _folder.FullName, Environment);
        using var client = new HttpClient { BaseAddress = Url };
        using var answer = await Eventually.AnswerAsync(() => client.GetAsync("/login/"), () => _server.HasExited, () => _server.Output);
        answer.StatusCode.Should().Be(HttpStatusCode.MethodNotAllowed);
    }

    private static string[] Command(params string[] arguments) =>
        ["/usr/bin/python3", Repository.PathOf("samples", "quantum-django", "manage.py"), .. arguments];

    private IEnumerable<(string Name, string? Value)> Environment =>
    [
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_PORT", $"{_redis!.Port}"),
        ("REDIS_USER", null),
        ("REDIS_PASSWORD", null),
        ("SESSION_ENCRYPTION", null),
        ("ALLOWED_HOSTS", null),
        ("DATABASE_FILE", Path.Combine(_folder.FullName, "quantum.sqlite3")),
        ("MEDIA_ROOT", Path.Combine(_folder.FullName, "media")),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONUNBUFFERED", "1"),
    ];
}
