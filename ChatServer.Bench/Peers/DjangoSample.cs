using System.Globalization;
using ChatServer.Bench.Load;
using ChatServer.Bench.Report;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Peers;

/// <summary>
/// Quantum as samples/quantum-django has it, with SQLite in a folder of its own that goes with it: one company, whose users are in rooms as
/// a workload wants them.
/// </summary>
internal sealed class DjangoSample : IDisposable
{
    private const string Install = "apt-get install python3-django python3-djangorestframework python3-redis gunicorn";

    /// <summary>Debian's own, for which its packages are.</summary>
    private const string Python = "/usr/bin/python3";

    private const int Workers = 2;
    private const int ThreadsOfWorker = 4;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly string Source = Path.Combine(Repository.Root, "samples", "quantum-django");
    private static readonly string Manage = Path.Combine(Source, "manage.py");
    private static readonly string People = Path.Combine(Repository.Root, "ChatServer.Bench", "Peers", "django", "people.py");

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("bench-django-");
    private readonly bool _hasGunicorn;

    private DjangoSample(bool hasGunicorn)
    {
        _hasGunicorn = hasGunicorn;
        AppDomain.CurrentDomain.ProcessExit += DeleteLeftOver;
    }

    /// <summary>What <c>QUANTUM_SERVICE_TOKEN</c> of ChatServer is to be.</summary>
    public string ServiceToken { get; private set; } = "";

    private IEnumerable<(string Name, string? Value)> Environment =>
    [
        ("DJANGO_SETTINGS_MODULE", "quantum.settings"), ("DJANGO_DEBUG", "false"), ("DJANGO_SECRET_KEY", "bench"),
        ("DATABASE_FILE", Path.Combine(_folder.FullName, "quantum.sqlite3")), ("MEDIA_ROOT", Path.Combine(_folder.FullName, "media")),
        ("ALLOWED_HOSTS", null), ("QUANTUM_SERVER_URL", null), ("SESSION_ENCRYPTION", null), ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_USER", null), ("REDIS_PASSWORD", null), ("PYTHONDONTWRITEBYTECODE", "1"),
    ];

    /// <summary>A new database with the people and rooms of a workload, and ChatServer's account.</summary>
    public static async Task<DjangoSample> PrepareAsync(DjangoKit kit, Workload work, CancellationToken cancellation)
    {
        var sample = new DjangoSample(kit.HasGunicorn);
        try
        {
            await sample.ManageAsync(["migrate", "-v", "0"], cancellation);
            await sample.ManageAsync(["shell", "-c", $"exec(open('{People}').read())"], cancellation,
                ("BENCH_COMPANY", $"{SessionRecords.Company}"), ("BENCH_TOKEN", SessionRecords.RestToken),
                ("BENCH_USERS", $"{work.Connections}"), ("BENCH_ROOMS", $"{work.Rooms}"));
            sample.ServiceToken = await sample.ManageAsync(["service_token"], cancellation);
            return sample;
        }
        catch
        {
            // Nobody else will ever hold it.
            sample.Dispose();
            throw;
        }
    }

    /// <returns>What this machine has of what the sample needs, or why that is not enough.</returns>
    public static async Task<(DjangoKit? Kit, string Obstacle)> FindAsync(CancellationToken cancellation)
    {
        if (!File.Exists(Python))
        {
            return (null, $"there is no {Python} on this machine ({Install})");
        }

        var (exitCode, output) = await RunAsync(
            new([Python, "-c", """
                import platform, sqlite3, django, redis, rest_framework
                print(f"Python {platform.python_version()}, Django {django.__version__}, "
                      f"Django REST framework {rest_framework.VERSION}, SQLite {sqlite3.sqlite_version}")
                """]),
            cancellation);
        if (exitCode != 0)
        {
            return (null, $"{output.Split('\n')[^1]} ({Install})");
        }

        var (without, gunicorn) = await RunAsync(
            new([Python, "-c", "import gunicorn; print(f'gunicorn {gunicorn.__version__}')"]), cancellation);
        return (without == 0 ? new(HasGunicorn: true, $"{output}, {gunicorn}", HowGunicornRuns)
            : new(HasGunicorn: false, output, $"run by `manage.py runserver`, as gunicorn is missing ({Install})"), "");
    }

    /// <summary>How to start it on a port.</summary>
    public Launch LaunchOn(int port, int redis) =>
        new(_hasGunicorn
            ? [Python, "-m", "gunicorn", "--pythonpath", Source, "--bind", $"127.0.0.1:{port}", "--worker-class", "gthread",
                "--workers", $"{Workers}", "--threads", $"{ThreadsOfWorker}", "--keep-alive", "75",
                // While it is made to stand still, no worker is to count as dead.
                "--timeout", "0", "django.core.wsgi:get_wsgi_application()"]
            : [Python, Manage, "runserver", "--noreload", $"127.0.0.1:{port}"])
        {
            Environment = [.. Environment, ("REDIS_PORT", $"{redis}")],
        };

    /// <returns>How many messages are in its database.</returns>
    public async Task<long> CountRowsAsync(CancellationToken cancellation) => long.Parse(
        await ManageAsync(["shell", "-c", "from chat.models import Message; print(Message.objects.count())"], cancellation),
        CultureInfo.InvariantCulture);

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= DeleteLeftOver;
        _folder.Delete(recursive: true);
    }

    private static string HowGunicornRuns =>
        $"run by gunicorn with {Workers} workers of {ThreadsOfWorker} threads, connections kept open";

    private static async Task<(int ExitCode, string Output)> RunAsync(Launch launch, CancellationToken cancellation)
    {
        await using var child = Child.Start(launch);
        var exitCode = await child.ExitAsync(Limit, cancellation);
        return (exitCode, child.Output.Trim());
    }

    /// <exception cref="InvalidOperationException">The command failed.</exception>
    private async Task<string> ManageAsync(
        IReadOnlyList<string> arguments, CancellationToken cancellation, params IEnumerable<(string, string?)> environment)
    {
        var (exitCode, output) = await RunAsync(
            new([Python, Manage, .. arguments]) { Environment = [.. Environment, .. environment] }, cancellation);
        return exitCode == 0 ? output : throw new InvalidOperationException($"manage.py {arguments[0]} ended with {exitCode}:\n{output}");
    }

    private void DeleteLeftOver(object? sender, EventArgs e) => _folder.Delete(recursive: true);
}

/// <summary>What the Django sample runs on.</summary>
/// <param name="Versions">Of all of it.</param>
/// <param name="Way">How it is run.</param>
internal sealed record DjangoKit(bool HasGunicorn, string Versions, string Way);
