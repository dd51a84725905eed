namespace ChatServer.Bench.Load;

/// <summary>Which peers this machine can run.</summary>
/// <param name="Present">Those that it can.</param>
/// <param name="Absent">The others, and why.</param>
internal sealed record Lineup(IReadOnlyList<Contestant> Present, IReadOnlyList<(Contestant Peer, string Reason)> Absent)
{
    public static async Task<Lineup> FindAsync(IReadOnlyList<Contestant> peers, CancellationToken cancellation)
    {
        var present = new List<Contestant>();
        var absent = new List<(Contestant, string)>();
        foreach (var peer in peers)
        {
            if (await peer.PrepareAsync(cancellation) is { } reason)
            {
                absent.Add((peer, reason));
            }
            else
            {
                present.Add(peer);
            }
        }

        return new(present, absent);
    }
}
