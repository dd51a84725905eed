using ChatServer.Configuration;

namespace ChatServer.Operations;

/// <summary>How the service stops.</summary>
/// <param name="Drain">Over how long the connections are closed; zero: all at once.</param>
internal sealed record OperationsOptions(TimeSpan Drain)
{
    /// <summary>How often the drain takes its next step.</summary>
    public static readonly TimeSpan DrainStep = TimeSpan.FromMilliseconds(50);

    /// <summary>How long peers have to answer their close frames after the drain.</summary>
    public static readonly TimeSpan CloseWithin = TimeSpan.FromSeconds(1);

    /// <summary>What may follow the drain, in all: the last close frames, signing off in Redis, the end of downloads.</summary>
    public static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(3);

    /// <summary>How long after the drain the process ends, whatever is still under way.</summary>
    public static readonly TimeSpan ExitWithin = TimeSpan.FromSeconds(4.5);

    public static OperationsOptions Read(SettingReader settings) => new(settings.Seconds("DRAIN_SECONDS", 10, 0, 3600));
}
