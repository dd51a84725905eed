namespace ChatServer.Configuration;

/// <summary>The settings are wrong and the service does not start; one line for each mistake.</summary>
internal sealed class SettingsException(IReadOnlyList<string> mistakes) : Exception(string.Join(Environment.NewLine, mistakes))
{
    /// <summary>EX_CONFIG of sysexits.h: something was found in an unconfigured or misconfigured state.</summary>
    public const int ExitCode = 78;

    public IReadOnlyList<string> Mistakes { get; } = mistakes;
}
