using ChatServer.Configuration;

namespace ChatServer.Outbox;

/// <summary>How accepted messages are saved in Quantum.</summary>
/// <param name="Attempts">Tries after which a message that keeps failing, while Quantum saves others, becomes a dead letter.</param>
/// <param name="MaxConcurrentSaves">How many saves may be under way at once, on this node.</param>
internal sealed record OutboxOptions(int Attempts, int MaxConcurrentSaves)
{
    /// <summary>Rooms with something to save whose names are read at once.</summary>
    public const int PageRooms = 1000;

    /// <summary>Bytes of a room's messages after which enough is read at once; up to three entries of its log more may come.</summary>
    public const int PageBytes = 64 * 1024;

    /// <summary>Entries of a stream that are read at once in a search for files.</summary>
    public const int EntriesAtOnce = 8;

    /// <summary>Entries of the former version's outbox that are read at once.</summary>
    public const int PageEntries = 128;

    /// <summary>Bytes of messages in a node's memory that wait for a place, beside those of the calls under way.</summary>
    public const int MaxBytesInHand = 16 * 1024 * 1024;

    /// <summary>Bytes of messages in one call that saves several: nginx takes bodies of 1 MB unless it is told otherwise.</summary>
    public const int MaxBytesOfCall = 768 * 1024;

    /// <summary>Rooms of which a node reads messages at once.</summary>
    public const int ReadingsAtOnce = 16;

    /// <summary>Saves at once with which a node begins.</summary>
    public const int FirstConcurrentSaves = 4;

    /// <summary>How many times <c>CHAT_SAVES_IN_PARALLEL</c> calls may be under way where some take longer than <see cref="SlowAfter"/>.</summary>
    public const int SlowFactor = 4;

    /// <summary>Rooms of a company that fail without a success between them until the company's calls rest.</summary>
    public const int FailedRoomsUntilRest = 5;

    /// <summary>Companies that are remembered at which the idle ones are forgotten.</summary>
    public const int SweepCompaniesAt = 10_000;

    /// <summary>Tokens that Quantum has refused at which they are all forgotten.</summary>
    public const int MaxRefusedTokens = 10_000;

    /// <summary>Messages in one <c>saved</c> notice: it stays well below what a client may expect of a frame.</summary>
    public const int MaxMessagesPerNotice = 200;

    /// <summary>Which part of the lanes beyond its share a node gives up at once: one in so many, at least one.</summary>
    public const int GiveUpPart = 8;

    /// <summary>Dead letters that are read at once.</summary>
    public const int DeadLettersPage = 500;

    /// <summary>In how many parts a file's retention is divided: it is renewed after each, as long as the file waits.</summary>
    public const int RenewalsPerRetention = 4;

    /// <summary>After a node's start the first renewal comes within that time, at random; sooner if retention is short.</summary>
    public static readonly TimeSpan FirstRenewalWithin = TimeSpan.FromMinutes(5);

    /// <summary>How long a lease lasts that nobody renews.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(10);

    /// <summary>How often a lease is renewed, and how often a node looks for lanes to take.</summary>
    public static readonly TimeSpan RenewInterval = LeaseTime / 5;

    /// <summary>A call of Quantum's API that takes longer gives its place to others.</summary>
    public static readonly TimeSpan SlowAfter = TimeSpan.FromSeconds(1);

    /// <summary>The pause of a company's calls when several of its rooms have failed; it doubles with each further one.</summary>
    public static readonly TimeSpan FirstRest = TimeSpan.FromSeconds(1);

    /// <summary>The longest such pause.</summary>
    public static readonly TimeSpan MaxRest = TimeSpan.FromSeconds(10);

    /// <summary>The pause of a room after its message's first failure; it doubles with each further one.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause while nobody's messages are saved: an outage, after which all goes on soon.</summary>
    public static readonly TimeSpan MaxPauseInOutage = TimeSpan.FromSeconds(5);

    /// <summary>The longest pause while others' messages are saved.</summary>
    public static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(60);

    /// <summary>The longest <c>Retry-After</c> that is honoured in full: a longer one is taken for a mistake.</summary>
    public static readonly TimeSpan MaxRetryAfter = TimeSpan.FromHours(1);

    /// <summary>What is added to a <c>Retry-After</c> at most, so that not all come back in the same moment.</summary>
    public static readonly TimeSpan RetryAfterJitter = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a token that Quantum has refused (401) is left alone.</summary>
    public static readonly TimeSpan TokenRefusedFor = TimeSpan.FromSeconds(30);

    /// <summary>The longest pause of a room whose next message has no token that Quantum knows.</summary>
    public static readonly TimeSpan MaxPauseWithoutToken = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The age at which a message without a token becomes a dead letter: as long as a room's log holds what the room's members may miss
    /// in Quantum meanwhile.
    /// </summary>
    public static readonly TimeSpan TokenAwaitedFor = TimeSpan.FromHours(24);

    /// <summary>The same, reckoned from when this node has begun to wait: after an outage a user has time to log in.</summary>
    public static readonly TimeSpan TokenAwaitedHereFor = TimeSpan.FromHours(1);

    /// <summary>The pause after Redis was out of reach, and after an error of ours; between half and one and a half of it.</summary>
    public static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>How long an announcement that was lost, without an interruption that shows, can hold up a save.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(4);

    /// <summary>How often it is looked whether a node of the former version has left something: it may still be running.</summary>
    public static readonly TimeSpan LookForFormer = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a room's messages come together for its next part in a call, where calls carry many. One that comes after a silence does
    /// not wait.
    /// </summary>
    public static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(250);

    /// <summary>How long Quantum is not asked whether it takes several messages in one call, after it has said that it does not.</summary>
    public static readonly TimeSpan AskForBulkAgain = TimeSpan.FromMinutes(5);

    /// <summary>How often a room's other users are told which of a sender's messages are saved.</summary>
    public static readonly TimeSpan NoticeInterval = TimeSpan.FromMilliseconds(250);

    public static OutboxOptions Read(SettingReader settings) =>
        new(settings.Int("SAVE_ATTEMPTS", 20, 1, 1_000_000), settings.Int("CHAT_SAVES_IN_PARALLEL", 8, 1, 1024));
}
