using ChatServer.Deliver;

namespace ChatServer.Rooms;

/// <summary>One connection in one room.</summary>
internal sealed class Member(Room room, Connection connection)
{
    public Room Room => room;

    public Connection Connection => connection;

    /// <summary>Whether it is out of the room, be it that it left or was put out.</summary>
    public bool HasLeft => Index < 0;

    /// <summary>The place in the room's table; the room's lock guards it.</summary>
    internal int Index { get; set; } = -1;

    /// <summary>The highest seq among its own messages for which it has an ack; the room's lock guards it. Its messages get their seqs in order.</summary>
    internal long AckedSeq { get; set; }

    /// <summary>Where this member's special treatment begins in the batch that is being sent; the room's pump alone uses it.</summary>
    internal int FirstSpecial { get; set; } = -1;
}
