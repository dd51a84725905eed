using ChatServer.Connections;

namespace ChatServer.Rooms.Fanout;

/// <summary>One connection in one room, as far as sending to it goes.</summary>
internal class Member(Connection connection)
{
    public Connection Connection => connection;

    /// <summary>Whether it is out of the room, be it that it left or was put out.</summary>
    public bool HasLeft => Index < 0;

    /// <summary>The place in the room's table; the room's lock guards it.</summary>
    internal int Index { get; set; } = -1;

    /// <summary>Where this member's special treatment begins in the batch that is being sent; the room's pump alone uses it.</summary>
    internal int FirstSpecial { get; set; } = -1;
}
