using ChatServer.Bench.Drive;

namespace ChatServer.Bench.Load;

/// <summary>One kind of work that every server is given.</summary>
/// <param name="Key">Its name on the command line.</param>
/// <param name="Title">Its name in the table.</param>
/// <param name="Rate">Messages a second of all senders together; 0 in a closed loop.</param>
/// <param name="HearsSaves">Whether the run lasts until the senders have heard that all is saved, and tells how soon they did.</param>
internal sealed record Workload(
    string Key, string Title, WorkKind Kind, int Rooms, int MembersPerRoom, double Rate = 0, bool Tls = false, bool Deflate = false,
    bool HearsSaves = false)
{
    public static IReadOnlyList<Workload> All { get; } =
    [
        new("fanout-1x1000", "fan-out, 1 room × 1,000", WorkKind.Fanout, 1, 1000),
        new("fanout-100x10", "fan-out, 100 rooms × 10", WorkKind.Fanout, 100, 10),
        new("fanout-500x2", "fan-out, 500 rooms × 2", WorkKind.Fanout, 500, 2),
        new("wss-100x10", "fan-out over TLS, 100 rooms × 10", WorkKind.Fanout, 100, 10, Tls: true),
        new("deflate-100x10", "fan-out with permessage-deflate, 100 rooms × 10", WorkKind.Fanout, 100, 10, Deflate: true),
        new("rate", "200 messages/s, 10 rooms × 50", WorkKind.Rate, 10, 50, Rate: 200),
        new("idle", "10,000 idle connections", WorkKind.Idle, 1000, 10),
    ];

    public int Connections => Rooms * MembersPerRoom;
}
