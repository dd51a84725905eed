using System.Security.Authentication;
using ChatServer.Hosting;
using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Hosting;

public sealed class SparingLogsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines _lines = new();
    private readonly ServiceProvider _services;

    public SparingLogsTests() => _services = new ServiceCollection()
        .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).Services.AddSingleton<ILoggerProvider>(
            services => new SparingLogs(_lines, new LogText(["s3cret-token", "no"]), services.GetService<ILoggerFactory>, _time)))
        .BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public void Log_ForeignText_IsEscapedAndCutWhereverItStands()
    {
        var other = new Uri("http://a/" + new string('x', 5000));
        Logger().LogWarning(new EventId(5), "Origin {Origin} of {Other}, {Rest}", "\u202Eevil\r\nfail: forged", other, 7);

        var line = _lines.All.Should().ContainSingle().Subject;
        line.Should().Contain("Origin \\u202eevil\\u000d\\u000afail: forged of http://a/xxx").And.EndWith("…, 7 ");
        line.Length.Should().BeLessThan(400);
    }

    [Fact]
    public void Log_ALongMessageOfALibrary_IsCut()
    {
        Logger().LogWarning("{More}", string.Concat(Enumerable.Repeat("abc\u001B", 5000)).Split('\u001B'));

        _lines.All.Should().ContainSingle().Which.Length.Should().BeLessThan(2100);
    }

    [Fact]
    public void Log_ASecretOfTheSettings_IsLeftOut()
    {
        var refused = new InvalidOperationException("ERR unknown command 'AUTH', with args beginning with: 's3cret-token'");
        Logger().LogError(refused, "Redis says no: {Why}", refused.Message);

        _lines.All.Should().ContainSingle().Which.Should().NotContain("s3cret").And.Contain("(secret)").And.Contain("says no");
    }

    [Fact]
    public void Log_AnErrorOfOurs_IsOneLineWithItsStackAndWithoutForeignControl()
    {
        Logger().LogError(Thrown(new InvalidOperationException($"odd \u001B[2J\nfail: {new string('y', 1000)}")), "It failed.");

        var line = _lines.All.Should().ContainSingle().Subject;
        line.Should().Contain("It failed. System.InvalidOperationException: odd \\u001b[2J fail: yyy").And.Contain("   at ".Trim())
            .And.Contain(nameof(Thrown)).And.NotContain("\n").And.NotContain(new string('y', 300));
    }

    [Fact]
    public void Log_AnOutage_IsItsTextAndTheStackIsForDebug()
    {
        Exception[] outages = [new RedisUnavailableException("Redis is away"), new QuantumUnavailableException("Quantum is away")];
        foreach (var outage in outages)
        {
            Logger().LogWarning(new EventId(923), Thrown(outage), "It waits.");
        }

        _lines.All.Where(line => line.StartsWith("Warning", StringComparison.Ordinal)).Should().HaveCount(2)
            .And.OnlyContain(line => line.Contains("It waits.") && line.Contains("is away") && !line.Contains(nameof(Thrown)));
        _lines.All.Where(line => line.StartsWith("Debug", StringComparison.Ordinal)).Should().HaveCount(2)
            .And.OnlyContain(line => line.Contains("event 923") && line.Contains(nameof(Thrown)));
    }

    [Fact]
    public void Log_APeersEnd_HasNoStackAtDebug()
    {
        var (noTls, reset) = (Thrown(new AuthenticationException("no TLS")), Thrown(new IOException("reset")));
        Logger("Microsoft.AspNetCore.Server.Kestrel.Https").LogDebug(noTls, "Failed to authenticate HTTPS connection.");
        Logger().LogDebug(reset, "Gone.");

        _lines.All.Should().HaveCount(2).And.NotContain(line => line.Contains(nameof(Thrown)));
    }

    [Fact]
    public void Log_AFlood_IsALineAKindAndIntervalWithTheCount()
    {
        for (var number = 1; number <= 5000; number++)
        {
            Logger().LogWarning(new EventId(920), "Message {Number} waits.", number);
        }

        Logger().LogWarning(new EventId(922), "Another kind.");
        Logger("ChatServer.Other").LogInformation(new EventId(920), "Another class.");
        _lines.All.Should().HaveCount(SparingLogs.AtOnce + 2);

        _time.Advance(SparingLogs.Interval);
        _lines.All.Should().HaveCount(SparingLogs.AtOnce + 3);
        _lines.All[^1].Should().StartWith("Warning ChatServer.A[920] Message 5000 waits. (4989 more like this one)");

        Logger().LogWarning(new EventId(920), "Message {Number} waits.", 5001);
        _lines.All.Should().HaveCount(SparingLogs.AtOnce + 3, "it goes on");
        _time.Advance(SparingLogs.Interval);
        _lines.All[^1].Should().StartWith("Warning ChatServer.A[920] Message 5001 waits. ").And.NotContain("more");

        _time.Advance(2 * SparingLogs.Interval);
        Logger().LogWarning(new EventId(920), "Message {Number} waits.", 5002);
        _lines.All[^1].Should().Contain("5002", "an interval without any has ended it");
    }

    [Fact]
    public void Log_ATrickleWithoutAnEnd_IsALineAnIntervalAsWell()
    {
        for (var number = 1; number <= 60; number++)
        {
            Logger().LogWarning(new EventId(940), "Round {Number}.", number);
            _time.Advance(TimeSpan.FromSeconds(2));
        }

        _lines.All.Should().HaveCountLessThanOrEqualTo(SparingLogs.AtOnce + (60 * 2 / 10));
    }

    [Fact]
    public void Dispose_WhatWasLeftOut_IsStillWritten()
    {
        for (var number = 1; number <= 50; number++)
        {
            Logger().LogError(new EventId(900), "Letter {Number}.", number);
        }

        _services.Dispose();

        _lines.All[^1].Should().Contain("Letter 50. (39 more like this one)");
    }

    [Fact]
    public void Log_DebugAndOthersInformation_IsNotCounted()
    {
        for (var number = 1; number <= 50; number++)
        {
            Logger().LogDebug(new EventId(1), "a");
            Logger("Microsoft.Hosting.Lifetime").LogInformation(new EventId(14), "b");
        }

        _lines.All.Should().HaveCount(100);
    }

    [Fact]
    public async Task Log_ManyAtOnce_LosesNoneOfTheCount()
    {
        const int each = 2000;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var number = 0; number < each; number++)
            {
                Logger().LogWarning(new EventId(1), "x");
                if (number % 100 == 0)
                {
                    _time.Advance(SparingLogs.Interval);
                }
            }
        }))).WaitAsync(TimeSpan.FromSeconds(30));
        _services.Dispose();

        var count = _lines.All.Sum(line => 1 + (line.Split('(') is [_, var more, ..] ? int.Parse(more.Split(' ')[0], provider: null) : 0));
        count.Should().Be(4 * each);
    }

    private static Exception Thrown(Exception exception)
    {
        try
        {
            throw exception;
        }
        catch (Exception caught)
        {
            return caught;
        }
    }

    private ILogger Logger(string category = "ChatServer.A") => _services.GetRequiredService<ILoggerFactory>().CreateLogger(category);
}
