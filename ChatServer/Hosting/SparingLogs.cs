using System.Collections.Concurrent;
using System.Globalization;
using ChatServer.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

namespace ChatServer.Hosting;

/// <summary>
/// Stands before the console, so that no class that logs has to think of it: entries become lines by <see cref="LogText"/>, and of what repeats
/// itself, as long as it does, only the newest line of each kind is written every <see cref="Interval"/>, with how many there were. A kind
/// is a class and an event id. Debug lines are all written, and so is information of others than ChatServer.
/// </summary>
[ProviderAlias("Console")]
internal sealed partial class SparingLogs : ILoggerProvider, ISupportExternalScope
{
    /// <summary>So many lines of a kind are written at once before they are counted: what is rare is seen in full.</summary>
    public const int AtOnce = 10;

    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Category, int Event, string Name), Kind> _kinds = new();
    private readonly ILoggerProvider _inner;
    private readonly LogText _text;
    private readonly Func<ILoggerFactory?> _factory;
    private readonly ITimer _timer;

    /// <param name="inner">Gets the lines; disposed of with this.</param>
    /// <param name="text">Makes them.</param>
    /// <param name="factory">Where the stack of an outage is logged, at Debug.</param>
    /// <param name="time">Measures the intervals.</param>
    public SparingLogs(ILoggerProvider inner, LogText text, Func<ILoggerFactory?> factory, TimeProvider time)
    {
        (_inner, _text, _factory) = (inner, text, factory);
        _timer = time.CreateTimer(_ => Sum(), null, Interval, Interval);
    }

    /// <summary>Puts it in place of the console that a host has by default.</summary>
    public static void AddTo(ILoggingBuilder logging)
    {
        var console = logging.Services.Single(service => service.ImplementationType == typeof(ConsoleLoggerProvider));
        logging.Services.Remove(console);
        logging.Services.TryAddSingleton<ConsoleLoggerProvider>();
        logging.Services.AddSingleton<ILoggerProvider>(services => new SparingLogs(
            services.GetRequiredService<ConsoleLoggerProvider>(),
            new LogText(SettingReader.SecretsOf(services.GetRequiredService<IConfiguration>())),
            services.GetService<ILoggerFactory>,
            services.GetService<TimeProvider>() ?? TimeProvider.System));
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName, _inner.CreateLogger(categoryName));

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) =>
        (_inner as ISupportExternalScope)?.SetScopeProvider(scopeProvider);

    public void Dispose()
    {
        _timer.Dispose();
        Sum();
        _inner.Dispose();
    }

    /// <summary>Writes what was left out since the last time; a kind of which nothing came begins anew.</summary>
    private void Sum()
    {
        foreach (var (key, kind) in _kinds)
        {
            if (!kind.TrySum())
            {
                _kinds.TryRemove(new(key, kind));
            }
        }
    }

    private static bool IsCounted(LogLevel level, string category) =>
        level is LogLevel.Warning or LogLevel.Error
        || (level == LogLevel.Information && category.StartsWith(nameof(ChatServer) + ".", StringComparison.Ordinal));

    private sealed class Logger(SparingLogs logs, string category, ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!inner.IsEnabled(logLevel))
            {
                return;
            }

            var line = new Line(inner, logLevel, eventId, logs._text.Of(logLevel, state, exception, formatter));
            if (IsCounted(logLevel, category))
            {
                logs._kinds.GetOrAdd((category, eventId.Id, eventId.Name ?? ""), _ => new()).Take(line);
            }
            else
            {
                line.Write();
            }

            if (logLevel > LogLevel.Debug && LogText.IsOutage(exception) && logs._factory()?.CreateLogger(category) is { } own)
            {
                SparingLogs.Log.Stack(own, exception!, eventId.Id);
            }
        }
    }

    private readonly record struct Line(ILogger Target, LogLevel Level, EventId Event, string Text)
    {
        public void Write(string more = "") => Target.Log(Level, Event, Text + more, null, static (text, _) => text);
    }

    /// <summary>What one class said with one event id.</summary>
    private sealed class Kind
    {
        private readonly Lock _gate = new();
        private int _written;
        private int _leftOut;
        private bool _isQuiet;
        private Line _latest;

        public void Take(Line line)
        {
            lock (_gate)
            {
                _isQuiet = false;
                if (_written < AtOnce)
                {
                    _written++;
                    line.Write();
                    return;
                }

                (_leftOut, _latest) = (_leftOut + 1, line);
            }
        }

        /// <returns>False if nothing came since the last time.</returns>
        public bool TrySum()
        {
            lock (_gate)
            {
                if (_isQuiet)
                {
                    // For who has found it before it is forgotten, and comes in only now.
                    _written = 0;
                    return false;
                }

                _isQuiet = true;
                if (_leftOut == 0)
                {
                    return true;
                }

                _latest.Write(_leftOut == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" ({_leftOut - 1} more like this one)"));
                _leftOut = 0;
                return true;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1510, LogLevel.Debug, "Where event {Event} comes from:")]
        public static partial void Stack(ILogger logger, Exception exception, int @event);
    }
}
