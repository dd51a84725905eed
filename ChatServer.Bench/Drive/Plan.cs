namespace ChatServer.Bench.Drive;

/// <summary>What the generator does once all its connections are in their rooms.</summary>
internal enum WorkKind
{
    /// <summary>Closed loop: each room's sender keeps a fixed number of messages outstanding.</summary>
    Fanout,

    /// <summary>Open loop: messages fall due at even distances, whatever the server does.</summary>
    Rate,

    /// <summary>Nothing is sent.</summary>
    Idle,
}

/// <summary>
/// The work of one run, handed to the generator as JSON. Connection i is in room i modulo <see cref="Rooms"/>; the first member of a room
/// sends.
/// </summary>
internal sealed record Plan
{
    public const int StandardWindow = 4;
    public const int StandardBodyBytes = 256;

    public required WorkKind Kind { get; init; }

    /// <summary>Which protocol: see <see cref="Dialect.For"/>.</summary>
    public required string Dialect { get; init; }

    /// <summary>Ports on 127.0.0.1. Member k of a room goes to port k modulo their count.</summary>
    public required int[] Ports { get; init; }

    public required int Connections { get; init; }

    public required int Rooms { get; init; }

    /// <summary>Messages that a sender keeps outstanding in a closed loop.</summary>
    public int Window { get; init; } = StandardWindow;

    /// <summary>Messages a second of all senders together in an open loop.</summary>
    public double Rate { get; init; }

    public int BodyBytes { get; init; } = StandardBodyBytes;

    /// <summary>Time under load before anything is measured.</summary>
    public double WarmUpSeconds { get; init; }

    /// <summary>Time that is measured.</summary>
    public double Seconds { get; init; }

    public bool Tls { get; init; }

    public bool Deflate { get; init; }

    /// <summary>Whether each sender waits to hear that its messages are saved.</summary>
    public bool HearsSaves { get; init; }

    /// <summary>Processes whose CPU time and memory count as the server's.</summary>
    public int[] ServerPids { get; init; } = [];

    public int[] RedisPids { get; init; } = [];
}
