using System.Globalization;
using System.Security.Authentication;
using System.Text;
using ChatServer.Configuration;
using ChatServer.Files;
using ChatServer.Quantum;
using ChatServer.Redis;

namespace ChatServer.Hosting;

/// <summary>Makes one line of a log entry, whoever wrote it: what is foreign in it is cut and escaped, and secrets are left out.</summary>
/// <param name="secrets">The values of secret settings.</param>
internal sealed class LogText(IReadOnlyList<string> secrets)
{
    /// <summary>Whatever a library writes, a line without an exception has at most so many characters.</summary>
    private const int MaxLine = 2000;

    /// <summary>A shorter secret would be found in any text.</summary>
    private const int ShortestSecret = 6;

    private readonly IReadOnlyList<string> _secrets = [.. secrets.Where(secret => secret.Length >= ShortestSecret)];

    /// <summary>
    /// Whether an exception only says that another party is away or had to be given up: the text says it all, and the stack, the same each
    /// time, is for those who look for an error of ours.
    /// </summary>
    public static bool IsOutage(Exception? exception) =>
        exception is RedisUnavailableException or QuantumUnavailableException or FileGoneException;

    /// <summary>The message, and of the exception what the level asks for.</summary>
    public string Of<TState>(LogLevel level, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var message = formatter(state, exception);
        foreach (var (name, value) in state as IReadOnlyList<KeyValuePair<string, object?>> ?? [])
        {
            if (name != "{OriginalFormat}" && value is not (null or ValueType))
            {
                message = Shortened(message, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
            }
        }

        message = ForeignText.Escape(ForeignText.Cut(message, MaxLine));
        return WithoutSecrets(exception is null ? message : $"{message} {Of(level, exception)}");
    }

    /// <summary>An exception in one line.</summary>
    private static string Of(LogLevel level, Exception exception)
    {
        // A peer that goes, or never comes up to TLS, is no reason for a stack, which is Kestrel's.
        var isPeersEnd = level <= LogLevel.Debug
            && exception is IOException or OperationCanceledException or AuthenticationException or System.Net.Sockets.SocketException;
        if (isPeersEnd || (level > LogLevel.Debug && IsOutage(exception)))
        {
            return ForeignText.Shown(exception.Message);
        }

        var text = exception.ToString();
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            text = Shortened(text, cause.Message);
        }

        var line = new StringBuilder(text.Length);
        foreach (var part in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            line.Append(line.Length == 0 ? "" : " ").Append(ForeignText.Escape(part));
        }

        return line.ToString();
    }

    private static string Shortened(string text, string part) =>
        part.Length > ForeignText.MaxCharacters ? text.Replace(part, ForeignText.Cut(part), StringComparison.Ordinal) : text;

    private string WithoutSecrets(string text)
    {
        foreach (var secret in _secrets)
        {
            text = text.Replace(secret, "(secret)", StringComparison.Ordinal);
        }

        return text;
    }
}
