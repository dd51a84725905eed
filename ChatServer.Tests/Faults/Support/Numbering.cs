namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// Which message has which seq, as all clients together were told: one seq for each identifier, one identifier for each seq.
/// </summary>
internal sealed class Numbering
{
    private readonly Dictionary<(Place, string Epoch, long Seq), string> _identifiers = [];
    private readonly Dictionary<(Place, string Identifier), (string Epoch, long Seq)> _seqs = [];
    private readonly Dictionary<(Place Place, string Identifier), long> _acked = [];

    public List<Finding> Found { get; } = [];

    public int Acked => _acked.Count;

    public IEnumerable<(Place Place, string Identifier, long Seq)> AllAcked =>
        _acked.Select(acked => (acked.Key.Place, acked.Key.Identifier, acked.Value));

    /// <summary>The messages of a room that somebody has an ack for or was told, in one epoch.</summary>
    public IEnumerable<(long Seq, string Identifier)> Of(Place place, string epoch) =>
        _identifiers.Where(known => known.Key.Item1 == place && known.Key.Epoch == epoch).Select(known => (known.Key.Seq, known.Value))
            .Order();

    public long? SeqOf(Place place, string identifier) => _seqs.TryGetValue((place, identifier), out var known) ? known.Seq : null;

    public void Ack(Place place, string epoch, long seq, string identifier, ClientHistory who, int index)
    {
        _acked.TryAdd((place, identifier), seq);
        Note(place, epoch, seq, identifier, who, index);
    }

    public void Note(Place place, string epoch, long seq, string identifier, ClientHistory who, int index)
    {
        if (!_identifiers.TryAdd((place, epoch, seq), identifier) && _identifiers[(place, epoch, seq)] is var other && other != identifier)
        {
            Found.Add(new(Breach.Renumbered, $"seq {seq} of {place} is {other} and {identifier}", who, index));
        }

        if (!_seqs.TryAdd((place, identifier), (epoch, seq)) && _seqs[(place, identifier)] is var first && first != (epoch, seq))
        {
            Found.Add(new(Breach.Renumbered, $"{identifier} in {place} has seq {first.Seq} and {seq}", who, index));
        }
    }
}
