namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// Which message has which seq, as all clients together were told: one seq for each identifier, one identifier for each seq, also over
/// epochs, because Redis keeps its writes here.
/// </summary>
internal sealed class Numbering
{
    private readonly Dictionary<(Place Place, long Seq), string> _identifiers = [];
    private readonly Dictionary<(Place Place, string Identifier), long> _seqs = [];
    private readonly Dictionary<(Place Place, string Identifier), long> _acked = [];

    public List<Finding> Found { get; } = [];

    public int Acked => _acked.Count;

    public IEnumerable<(Place Place, string Identifier, long Seq)> AllAcked =>
        _acked.Select(acked => (acked.Key.Place, acked.Key.Identifier, acked.Value));

    /// <summary>The messages of a room that somebody has an ack for or was told.</summary>
    public IEnumerable<(long Seq, string Identifier)> Of(Place place) =>
        _identifiers.Where(known => known.Key.Place == place).Select(known => (known.Key.Seq, known.Value))
            .Order();

    public long? SeqOf(Place place, string identifier) => _seqs.TryGetValue((place, identifier), out var known) ? known : null;

    public void Ack(Place place, long seq, string identifier, ClientHistory who, int index)
    {
        _acked.TryAdd((place, identifier), seq);
        Note(place, seq, identifier, who, index);
    }

    public void Note(Place place, long seq, string identifier, ClientHistory who, int index)
    {
        if (!_identifiers.TryAdd((place, seq), identifier) && _identifiers[(place, seq)] is var other && other != identifier)
        {
            Found.Add(new(Breach.Renumbered, $"seq {seq} of {place} is {other} and {identifier}", who, index));
        }

        if (!_seqs.TryAdd((place, identifier), seq) && _seqs[(place, identifier)] is var first && first != seq)
        {
            Found.Add(new(Breach.Renumbered, $"{identifier} in {place} has seq {first} and {seq}", who, index));
        }
    }
}
