using System.Net.Sockets;
using ChatServer.Configuration;
using ChatServer.Operations;
using ChatServer.Redis;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Console;

namespace ChatServer.Hosting;

/// <summary>Builds the service from its settings and runs it until it is told to stop.</summary>
internal static partial class ChatServerHost
{
    /// <summary>EX_UNAVAILABLE of sysexits.h: a port is not available.</summary>
    private const int UnavailableExitCode = 69;

    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static async Task<int> RunAsync(Command command)
    {
        var builder = CreateBuilder();
        builder.Configuration.AddDotEnv(Directory.GetCurrentDirectory());
        var settings = ChatSettings.Read(builder.Configuration, command.Mode, builder.Environment.IsDevelopment());
        return command.Kind switch
        {
            CommandKind.HealthCheck => await HealthCheckCommand.RunAsync(settings.Endpoints),
            CommandKind.DeadLetters => await DeadLettersCommand.RunAsync(settings.Redis, command.Arguments, Console.Out),
            _ => await ServeAsync(builder, settings),
        };
    }

    private static async Task<int> ServeAsync(WebApplicationBuilder builder, ChatSettings settings)
    {
        using var signals = new StopSignals();
        await using var app = Build(builder, settings);
        var drain = app.Services.GetRequiredService<Drain>();
        signals.OnSecond(drain.End);
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ChatServerHost));
        foreach (var warning in settings.Warnings)
        {
            Log.UnknownSetting(logger, warning);
        }

        if (settings.IsEmbedded)
        {
            Log.Embedded(logger);
        }

        try
        {
            var layout = app.Services.GetService<PartitionLayoutWatch>();
            var exitCode = () => layout is { HasEndedTheNode: true } ? PartitionLayoutWatch.RestartExitCode : 0;
            _ = ExitLateAsync(drain, exitCode, logger);
            await app.RunAsync();
            return exitCode();
        }
        catch (IOException exception) when (exception.InnerException is SocketException or AddressInUseException)
        {
            Log.NotListening(logger, exception.Message);
            return UnavailableExitCode;
        }
    }

    /// <summary>
    /// What is still under way some time after the drain is not worth waiting for: whoever stops the node has a limit too, and kills it.
    /// </summary>
    private static async Task ExitLateAsync(Drain drain, Func<int> exitCode, ILogger logger)
    {
        await drain.Ended;
        await Task.Delay(OperationsOptions.ExitWithin - OperationsOptions.CloseWithin);
        Log.ExitsLate(logger);
        Environment.Exit(exitCode());
    }

    /// <param name="environment">Null: what ASPNETCORE_ENVIRONMENT says, else Production.</param>
    internal static WebApplicationBuilder CreateBuilder(string? environment = null)
    {
        // appsettings.json is in the program's folder, wherever it is started from.
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = environment });

        // Ports are WS_PORT and WSS_PORT alone; container images of .NET set others.
        foreach (var key in (string[])[WebHostDefaults.ServerUrlsKey, WebHostDefaults.HttpPortsKey, WebHostDefaults.HttpsPortsKey])
        {
            builder.WebHost.UseSetting(key, null);
        }

        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        });
        SparingLogs.AddTo(builder.Logging);
        return builder;
    }

    internal static WebApplication Build(WebApplicationBuilder builder, ChatSettings settings)
    {
        builder.AddChatServer(settings);
        var app = builder.Build();
        app.MapChatServer();
        return app;
    }

    private static partial class Log
    {
        [LoggerMessage(1500, LogLevel.Warning, "{Warning}")]
        public static partial void UnknownSetting(ILogger logger, string warning);

        [LoggerMessage(1501, LogLevel.Warning,
            "REDIS_HOST and QUANTUM_SERVER_URL are not set: everything runs in this process with a demo Quantum, and "
            + "nothing survives a restart.")]
        public static partial void Embedded(ILogger logger);

        [LoggerMessage(1503, LogLevel.Warning, "The stop takes too long: the process ends, whatever is still under way.")]
        public static partial void ExitsLate(ILogger logger);

        [LoggerMessage(1502, LogLevel.Critical, "The service cannot listen on its ports (WS_PORT, WSS_PORT): {Why}")]
        public static partial void NotListening(ILogger logger, string why);
    }
}
