namespace ChatServer.Tests.Faults.Support;

/// <summary>What a client knows of one of its rooms.</summary>
internal sealed class RoomState
{
    public long? Since { get; set; }

    public string? Epoch { get; set; }

    public bool IsJoined { get; set; }

    public bool IsAsked { get; set; }

    public long? AskedSince { get; private set; }

    public long DueAt { get; set; }

    public void Ask() => (IsJoined, IsAsked, AskedSince) = (false, true, Since);
}

/// <summary>A message without an ack.</summary>
internal sealed class Unsettled(long room, string identifier)
{
    public long Room => room;

    public string Identifier => identifier;

    /// <summary>When it is to be sent, for the first time or again.</summary>
    public long DueAt { get; set; }
}
