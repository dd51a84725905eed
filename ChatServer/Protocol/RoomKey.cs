namespace ChatServer.Protocol;

/// <summary>A room is known by its company and its id: equal ids in two companies are two rooms.</summary>
/// <param name="CompanyId">Quantum's company id, a positive integer.</param>
/// <param name="RoomId">Quantum's room id, 1 to 2^53-1 (<see cref="MaxRoomId"/>).</param>
internal readonly record struct RoomKey(long CompanyId, long RoomId)
{
    /// <summary>The largest integer that every JSON reader keeps exactly (RFC 8259, section 6).</summary>
    public const long MaxRoomId = (1L << 53) - 1;
}
