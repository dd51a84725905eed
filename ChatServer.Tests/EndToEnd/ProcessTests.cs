using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

/// <summary>The program as operators run it: its exit codes, what it says, and how it starts and stops.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ProcessTests(ChatFixture chat) : IClassFixture<ChatFixture>, IDisposable
{
    private const int WrongSetting = 78;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("service-");

    [Theory]
    [InlineData("REDIS_HOST", "")]
    [InlineData("REDIS_HOST", "not a host")]
    [InlineData("REDIS_PORT", "70000")]
    [InlineData("QUANTUM_SERVER_URL", "")]
    [InlineData("QUANTUM_SERVER_URL", "ftp://quantum")]
    [InlineData("ALLOWED_HOSTS", "")]
    [InlineData("WS_PORT", "eighty")]
    [InlineData("AUTH_TIMEOUT", "10s")]
    [InlineData("SESSION_ENCRYPTION", "rot13")]
    [InlineData("FERNET_KEYS", "short", "SESSION_ENCRYPTION", "fernet")]
    [InlineData("ROOM_ACCESS", "everybody")]
    [InlineData("ALLOW_MISSING_ORIGIN", "maybe")]
    [InlineData("MAX_CONNECTIONS", "0")]
    [InlineData("PING_INTERVAL", "1.5")]
    [InlineData("DRAIN_SECONDS", "3601")]
    [InlineData("SAVE_BATCH", "2")]
    [InlineData("SAVE_BATCH", "501", "QUANTUM_SERVICE_TOKEN", "service")]
    public async Task A_wrong_setting_stops_the_start_and_is_named(
        string name, string value, string? alsoName = null, string? alsoValue = null)
    {
        await using var service = Start([], (name, value), (alsoName ?? name, alsoValue ?? value));

        (await service.ExitAsync(Limit)).Should().Be(WrongSetting, "{0}", service.Output);
        service.ErrorOutput.Should().Contain($"{name}: ");
        service.ErrorOutput.Should().NotContain("   at ", "a setting is no reason for a stack trace");
    }

    [Fact]
    public async Task All_mistakes_are_told_in_one_go()
    {
        await using var service = Start([], ("WS_PORT", "x"), ("RATE_LIMIT", "y"), ("ALLOWED_HOSTS", ""));

        (await service.ExitAsync(Limit)).Should().Be(WrongSetting);
        service.ErrorOutput.Should().Contain("WS_PORT: ").And.Contain("RATE_LIMIT: ").And.Contain("ALLOWED_HOSTS: ");
    }

    [Fact]
    public async Task The_file_in_the_working_directory_counts_and_the_environment_wins_over_it()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, ".env"), "MAX_MESSAGE_BYTES=few\nRATE_LIMIT=many\n");
        await using var service = Start([], ("RATE_LIMIT", "20"));

        (await service.ExitAsync(Limit)).Should().Be(WrongSetting);
        service.ErrorOutput.Should().Contain("MAX_MESSAGE_BYTES: ").And.NotContain("RATE_LIMIT: ");
    }

    [Fact]
    public async Task A_message_that_no_queue_can_hold_is_a_wrong_setting()
    {
        await using var service = Start([], ("MAX_MESSAGE_BYTES", "65536"), ("SEND_QUEUE_BYTES", "65536"));

        (await service.ExitAsync(Limit)).Should().Be(WrongSetting);
        service.ErrorOutput.Should().Contain("MAX_MESSAGE_BYTES: ").And.Contain("SEND_QUEUE_BYTES");
    }

    [Fact]
    public async Task Wss_without_a_certificate_does_not_start()
    {
        await using var service = Start(["wss"], ("CERT_FILE", null), ("KEY_FILE", null));

        (await service.ExitAsync(Limit)).Should().Be(WrongSetting);
        service.ErrorOutput.Should().Contain("CERT_FILE: ");
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("wsss")]
    [InlineData("both", "wss")]
    public async Task Arguments_that_make_no_sense_show_the_usage(params string[] arguments)
    {
        await using var service = Start(arguments);

        (await service.ExitAsync(Limit)).Should().Be(64);
        service.ErrorOutput.Should().Contain("Usage: ChatServer");
    }

    [Fact]
    public async Task A_port_that_is_taken_is_one_clear_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var service = Start([], ("WS_PORT", $"{port}"));

        (await service.ExitAsync(Limit)).Should().Be(69);
        service.Output.Should().Contain("WS_PORT").And.Contain($"{port}").And.NotContain("Unhandled exception");
    }

    [Fact]
    public async Task It_serves_warns_of_settings_that_nobody_reads_answers_its_health_check_and_stops_politely()
    {
        var port = FreePort.Next();
        await using var service = Start([], ("WS_PORT", $"{port}"), ("CHAT_PARTITION", "64"));
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = ChatPeer.Patience };
        using var ready = await Eventually.AnswerAsync(() => http.GetAsync("/readyz"), () => service.HasExited, () => service.Output);
        ready.StatusCode.Should().Be(HttpStatusCode.OK);
        service.Output.Should().Contain("CHAT_PARTITION: is not a setting").And.Contain("CHAT_PARTITIONS");
        await using (var check = Start(["healthcheck"], ("WS_PORT", $"{port}"), ("HTTP_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", null)))
        {
            (await check.ExitAsync(Limit)).Should().Be(0, "{0}", check.Output);
        }

        var url = new Uri($"ws://127.0.0.1:{port}/ws");
        await using var known = await ChatPeer.LoginAsync(url, await chat.Sessions.LoginAsync(1), 900);
        await using var unknown = await ChatPeer.OpenAsync(url);
        (await known.SayAsync(900, "a1")).Number("seq").Should().Be(1);
        await TerminateAsync(service);

        (await known.Closed).Should().Be((1012, "restart"));
        (await unknown.Closed).Should().Be((1012, "restart"));
        (await service.ExitAsync(Limit)).Should().Be(0, "{0}", service.Output);
        service.ErrorOutput.Should().BeNullOrWhiteSpace();
        await using var late = Start(["healthcheck"], ("WS_PORT", $"{port}"));
        (await late.ExitAsync(Limit)).Should().Be(1);
    }

    [Fact]
    public async Task It_starts_without_Redis_and_works_when_Redis_comes()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.StopAsync();
        var port = FreePort.Next();
        await using var service = Start([], ("WS_PORT", $"{port}"), ("REDIS_PORT", $"{redis.Port}"));
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = ChatPeer.Patience };
        using var alive = await Eventually.AnswerAsync(() => http.GetAsync("/healthz"), () => service.HasExited, () => service.Output);
        alive.StatusCode.Should().Be(HttpStatusCode.OK);
        (await http.GetAsync("/readyz")).StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        service.Output.Should().Contain("REDIS_HOST", "the log says where to look");

        await redis.StartAgainAsync();
        await using var connection = await redis.ConnectAsync();
        await Eventually.TrueAsync(
            () => http.GetAsync("/readyz").GetAwaiter().GetResult().IsSuccessStatusCode, TimeSpan.FromSeconds(20), () => service.Output);
        await using var peer = await ChatPeer.LoginAsync(
            new Uri($"ws://127.0.0.1:{port}/ws"), await new TestSessions(connection).LoginAsync(2), 901);
        (await peer.SayAsync(901, "a1")).Number("seq").Should().Be(1);
        await peer.ToldAsync("info_chat");
    }

    [Fact]
    public async Task It_refuses_another_number_of_partitions_than_the_data_has_and_ends_when_the_data_gets_another()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        var port = FreePort.Next();
        await using var service = Start([], ("WS_PORT", $"{port}"), ("REDIS_PORT", $"{redis.Port}"), ("DRAIN_SECONDS", "600"));
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = ChatPeer.Patience };
        using var alive = await Eventually.AnswerAsync(() => http.GetAsync("/readyz"), () => service.HasExited, () => service.Output);
        await using var one = await ChatPeer.OpenAsync(new Uri($"ws://127.0.0.1:{port}/ws"));
        await using var two = await ChatPeer.OpenAsync(new Uri($"ws://127.0.0.1:{port}/ws"));
        await using var other = Start([], ("CHAT_PARTITIONS", "64"), ("REDIS_PORT", $"{redis.Port}"));

        (await other.ExitAsync(Limit)).Should().Be(WrongSetting, "{0}", other.Output);
        other.ErrorOutput.Should().StartWith("CHAT_PARTITIONS: ").And.NotContain("   at ");
        await connection.GetDatabase().StringSetAsync("chat:partitions", 64);
        (await service.ExitAsync(Limit)).Should().Be(75, "{0}", service.Output);
        (await one.Closed).Should().Be((1012, "restart"), "nobody is kept on a node that looks in the wrong places");
        (await two.Closed).Should().Be((1012, "restart"));
    }

    [Fact]
    public async Task Foreign_text_is_escaped_in_its_log_and_an_outage_has_no_stack()
    {
        await using var redis = await RedisServer.StartAsync();
        var port = FreePort.Next();
        await using var service = Start(
            [], ("WS_PORT", $"{port}"), ("REDIS_PORT", $"{redis.Port}"), ("Logging__LogLevel__ChatServer.Endpoints", "Debug"));
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = ChatPeer.Patience };
        using var alive = await Eventually.AnswerAsync(() => http.GetAsync("/healthz"), () => service.HasExited, () => service.Output);
        (await RawPeer.AskOnceAsync(port, RawPeer.Upgrade("https://\u202Eevil.example"))).Should().StartWith("HTTP/1.1 403 ");
        await redis.StopAsync();
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async _ =>
        {
            await using var peer = await ChatPeer.OpenAsync(new Uri($"ws://127.0.0.1:{port}/ws"));
            await peer.SendAsync(new { type = "auth", token = Convert.ToBase64String("s_3_7"u8) });
            (await peer.Closed).Code.Should().Be(4004);
        })).WaitAsync(Limit);
        await Eventually.TrueAsync(
            () => service.Output.Contains("more like this one", StringComparison.Ordinal), Limit, () => service.Output);

        service.Output.Should().Contain("origin https://\\u202eevil.example was refused").And.NotContain("\u202E").And.NotContain("   at ");
        var waiting = service.Output.Split('\n').Where(line => line.Contains("[1210]", StringComparison.Ordinal)).ToList();
        waiting.Should().HaveCountLessThan(20).And.OnlyContain(line => line.Contains("Redis is out of reach", StringComparison.Ordinal));
        waiting[^1].Should().Contain("more like this one)");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private BoundedProcess Start(string[] arguments, params (string Name, string? Value)[] settings) => BoundedProcess.Start(
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "ChatServer.dll"), .. arguments], _folder.FullName,
        [
            ("ASPNETCORE_ENVIRONMENT", null), ("DOTNET_ENVIRONMENT", null), ("REDIS_HOST", RedisServer.Host),
                ("REDIS_PORT", $"{chat.Redis.Port}"),
            ("QUANTUM_SERVER_URL", chat.Quantum.Url.AbsoluteUri), ("ALLOWED_HOSTS", "localhost"), ("CHAT_LISTEN_ADDRESS", "127.0.0.1"),
            ("WS_PORT", "0"),
            ("RATE_LIMIT", "0"), ("DRAIN_SECONDS", "0"), .. settings,
        ]);

    private async Task TerminateAsync(BoundedProcess service) =>
        (await BoundedProcess.RunAsync(["kill", "-TERM", $"{service.Id}"], _folder.FullName, Limit)).ExitCode.Should().Be(0);
}
