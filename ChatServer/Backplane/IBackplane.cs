using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Backplane;

/// <summary>
/// Carries messages between nodes. What holds for every implementation (one suite of contract tests runs over all of them):
/// <list type="bullet">
/// <item>
/// Accepting is one atomic step: dedupe, seq, log, publication. A seq is given once, without holes, counting from 1 in an epoch.
/// </item>
/// <item>Messages of one room that one node accepts get their seqs in the order of the calls.</item>
/// <item>A subscriber gets what is published after <see cref="SubscribeAsync"/> has completed; what is published may be lost when a
/// connection breaks, and may come out of order: seq tells, and <see cref="ReadAsync"/> has what is missing.</item>
/// </list>
/// </summary>
internal interface IBackplane
{
    /// <summary>
    /// Begins the accept step of a message; within about 2 s the listener is told the outcome, once. A message whose file is no longer held
    /// is not accepted.
    /// </summary>
    void Accept(MessageDraft draft, IAcceptListener listener);

    /// <summary>The first answer to an identifier; null if none is known.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<Acceptance?> FindAsync(RoomKey room, long userId, string identifier);

    /// <summary>Begins to hear a room; the listener is called on any thread and must only hand over.</summary>
    /// <exception cref="RedisUnavailableException">The subscription is not in force.</exception>
    ValueTask<IAsyncDisposable> SubscribeAsync(RoomKey room, IRoomListener listener);

    /// <summary>Begins to hear what is meant for one user: JSON objects with a <c>type</c>, from ChatServer and from Quantum.</summary>
    /// <exception cref="RedisUnavailableException">The subscription is not in force.</exception>
    ValueTask<IAsyncDisposable> SubscribeToUserAsync(long userId, Action<ReadOnlyMemory<byte>> listener);

    /// <summary>Begins to hear what Quantum orders (contract 2.3).</summary>
    /// <exception cref="RedisUnavailableException">The subscription is not in force.</exception>
    ValueTask<IAsyncDisposable> SubscribeToControlAsync(Action<ReadOnlyMemory<byte>> listener);

    /// <summary>
    /// Calls back when subscriptions are in force again after an interruption: what was published meanwhile did not come here; the logs
    /// have it.
    /// </summary>
    void WhenRestored(Action restored);

    /// <summary>
    /// Reads a room's log: up to <paramref name="count"/> messages (0: its position only) with a seq over <paramref name="after"/>, in
    /// order. Fewer come where they are large: the page has bounds in bytes as well.
    /// </summary>
    /// <param name="seenIn">
    /// The epoch in which this node has seen <paramref name="after"/>; null if it only asks, as clients do. If Redis has forgotten
    /// what was seen, the room begins a new epoch, so that no seq is given twice.
    /// </param>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<LogPage> ReadAsync(RoomKey room, long after, int count, string? seenIn = null);

    /// <summary>Sends a frame that is not stored to the room's members on every node.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask NotifyRoomAsync(RoomKey room, RoomNotice notice);
}

/// <summary>
/// Hears what became of a message. Called on any thread, maybe before <see cref="IBackplane.Accept"/> returns; must return at once.
/// </summary>
internal interface IAcceptListener
{
    void OnAccepted(MessageDraft draft, Acceptance acceptance);

    /// <summary>Whether the message was accepted is unknown; sending it again with the same identifier is safe.</summary>
    void OnUnavailable(MessageDraft draft, RedisUnavailableException why);
}

/// <summary>Hears a room. Calls for one room may overlap and must return at once.</summary>
internal interface IRoomListener
{
    /// <summary>
    /// Whether a message is news here: most come a second time, for their node has them from the accept step, and need no copy.
    /// </summary>
    bool Lacks(long seq, string epoch);

    void OnMessage(RelayedMessage message);

    void OnNotice(RoomNotice notice);
}

/// <summary>A message before it is accepted.</summary>
/// <param name="Room">Where it goes.</param>
/// <param name="UserId">Whose it is: (room, user, identifier) is what makes it one message.</param>
/// <param name="Identifier">The client's, without escapes.</param>
/// <param name="Origin">The id of the connection that sent it, which gets no copy.</param>
/// <param name="Json">Its JSON.</param>
/// <param name="Timestamp">When this node took it, as it stands in the JSON.</param>
internal sealed record MessageDraft(
    RoomKey Room, long UserId, string Identifier, ulong Origin, UnnumberedMessage Json, string Timestamp)
{
    /// <summary>Up to where this node has seen the room: a Redis that has forgotten part of that begins a new epoch.</summary>
    public RoomPosition Seen { get; init; }

    /// <summary>The file that it brings: accepting the message makes the file stay, in the same step.</summary>
    public HeldFile? File { get; init; }
}

/// <summary>A complete file whose message is to be accepted.</summary>
/// <param name="Retention">How long it stays from then on.</param>
internal sealed record HeldFile(FileId Id, TimeSpan Retention);

/// <summary>The first answer that a message got.</summary>
/// <param name="Seq">Its place in the room.</param>
/// <param name="Epoch">The numbering that the seq belongs to.</param>
/// <param name="Timestamp">The first attempt's.</param>
/// <param name="IsRepeat">The identifier was known: nothing was stored or relayed again.</param>
internal readonly record struct Acceptance(long Seq, string Epoch, string Timestamp, bool IsRepeat);

/// <summary>An accepted message on its way to members.</summary>
internal readonly record struct RelayedMessage(long Seq, string Epoch, ulong Origin, ReadOnlyMemory<byte> Json);

/// <summary>A frame for a room's members that is not stored.</summary>
/// <param name="ExceptUserId">The user whose connections don't get it; 0: nobody.</param>
/// <param name="ExceptConnection">The connection that doesn't get it; 0: none.</param>
/// <param name="Json">The frame.</param>
internal sealed record RoomNotice(long ExceptUserId, ulong ExceptConnection, ReadOnlyMemory<byte> Json)
{
    /// <summary>Nobody waits for it: if a message comes soon, both leave in one write, which costs next to nothing.</summary>
    public bool MayWait { get; init; }
}

/// <summary>A piece of a room's log.</summary>
/// <param name="Epoch">The room's numbering; reading a room that has none begins one.</param>
/// <param name="Head">The room's newest seq; 0 if it has none.</param>
/// <param name="Messages">
/// In seq order, without holes among themselves; the first may lie beyond the asked-for one if older ones are no longer held.
/// </param>
internal sealed record LogPage(string Epoch, long Head, IReadOnlyList<RelayedMessage> Messages)
{
    /// <summary>The room's earlier epochs, newest first: up to where what Redis has of each is what was given in it.</summary>
    public IReadOnlyList<EpochEnd> Past { get; init; } = [];

    /// <summary>Whether somebody who has seen an epoch up to a seq has seen a beginning of what this room is now.</summary>
    public bool Continues(string? epoch, long seq) => epoch == Epoch || (EndOf(epoch) is { } end && seq <= end);

    /// <returns>Null if the epoch is none of the past ones that are remembered.</returns>
    public long? EndOf(string? epoch) => Past.Where(past => past.Epoch == epoch).Select(past => (long?)past.Seq).FirstOrDefault();
}

