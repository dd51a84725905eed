using ChatServer.Deliver;
using ChatServer.Rooms;

namespace ChatServer.Receive;

/// <summary>What the receiving side keeps for one connection. Its loop alone uses it, but for <see cref="Accepting"/>.</summary>
internal sealed class Client(Connection connection, ReceiveOptions options, TimeProvider time)
{
    /// <summary>Messages of one connection that may be on their way to being accepted; more wait in the socket.</summary>
    private const int MaxAccepting = 64;

    private SemaphoreSlim? _accepting;

    public Connection Connection => connection;

    /// <summary>The rooms that it is in, by room id.</summary>
    public Dictionary<long, Member> Rooms { get; } = [];

    /// <summary>The membership of a room; null where it is not in it, or was put out.</summary>
    public Member? MemberOf(long roomId)
    {
        if (Rooms.TryGetValue(roomId, out var member) && member.HasLeft)
        {
            Rooms.Remove(roomId);
            member = null;
        }

        return member;
    }

    /// <summary>The file that it is sending; one that has ended may stand here until its bytes stop coming.</summary>
    public Transfer? Transfer { get; set; }

    /// <summary>Whether binary frames are to be passed over without a word: an error has told why they are of no use, and more may be under way.</summary>
    public bool DropsBinary { get; set; }

    public RateLimiter Rate { get; } = new(options, time);

    /// <summary>Whether its user's channel is heard on its behalf.</summary>
    public bool HearsUser { get; set; }

    /// <summary>Whether its bytes can't be told apart any more.</summary>
    public bool IsBroken { get; set; }

    /// <summary>The watch over its session, once there is one; tells whether it has to be ended.</summary>
    public Task<bool>? Watch { get; set; }

    /// <summary>One slot per message under way; made for those that send.</summary>
    public SemaphoreSlim Accepting => _accepting ??= new(MaxAccepting);
}
