using ChatServer.Configuration;

namespace ChatServer.Outbox;

/// <summary>How accepted messages are saved in Quantum.</summary>
/// <param name="Attempts">Tries after which a message that keeps failing, while Quantum saves others, becomes a dead letter.</param>
/// <param name="MaxConcurrentSaves">How many saves may be under way at once, on this node.</param>
internal sealed record OutboxOptions(int Attempts, int MaxConcurrentSaves)
{
    /// <summary>Entries that are read at once.</summary>
    public const int PageEntries = 128;

    /// <summary>Entries of a partition in memory at which reading pauses, unless none of their rooms makes progress.</summary>
    public const int EnoughInHand = 64;

    /// <summary>Entries of a partition in memory at once; more wait in the outbox.</summary>
    public const int MaxInHand = 1024;

    /// <summary>Saves at once with which a node begins.</summary>
    public const int FirstConcurrentSaves = 4;

    /// <summary>Messages in one <c>saved</c> notice: it stays well below what a client may expect of a frame.</summary>
    public const int MaxMessagesPerNotice = 200;

    /// <summary>Dead letters that are read at once.</summary>
    public const int DeadLettersPage = 500;

    /// <summary>In how many parts a file's retention is divided: it is renewed after each, as long as the file waits.</summary>
    public const int RenewalsPerRetention = 4;

    /// <summary>How long a lease lasts that nobody renews.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(10);

    /// <summary>How often a lease is renewed, and how often a node looks for partitions to take.</summary>
    public static readonly TimeSpan RenewInterval = LeaseTime / 5;

    /// <summary>The pause before a save that failed is begun again; between half and one and a half of it.</summary>
    public static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>How long a lost announcement of a filled outbox can hold up a save.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <summary>The same while an entry is being saved: the outbox is then not empty, and nobody announces what comes.</summary>
    public static readonly TimeSpan LookSoon = TimeSpan.FromMilliseconds(100);

    /// <summary>How often a room's other users are told which of a sender's messages are saved.</summary>
    public static readonly TimeSpan NoticeInterval = TimeSpan.FromMilliseconds(250);

    public static OutboxOptions Read(SettingReader settings) =>
        new(settings.Int("SAVE_ATTEMPTS", 20, 1, 1_000_000), settings.Int("CHAT_SAVES_IN_PARALLEL", 8, 1, 1024));
}
