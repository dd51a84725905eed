using ChatServer.Connections;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Rooms;

/// <summary>One connection in one room.</summary>
internal sealed class RoomMember(Room room, Connection connection) : Member(connection)
{
    public Room Room => room;

    /// <summary>
    /// The highest seq among its own messages for which it has an ack; the room's lock guards it. Its messages get their seqs in order.
    /// </summary>
    internal long AckedSeq { get; set; }
}
