using ChatServer.Connections;

namespace ChatServer.Rooms.Fanout;

/// <summary>One connection in one room, as far as sending to it goes.</summary>
internal class Member(Connection connection)
{
    public Connection Connection => connection;

    /// <summary>Whether it is no longer in the room: it left or was removed.</summary>
    public bool HasLeft => Index < 0;

    /// <summary>The place in the room's table; the room's lock guards it.</summary>
    internal int Index { get; set; } = -1;

    /// <summary>The first of this member's exceptions in the batch that is being sent; only the room's pump uses it.</summary>
    internal int FirstSpecial { get; set; } = -1;
}
