using System.Collections.Concurrent;
using ChatServer.Protocol;
using ChatServer.Quantum;

namespace ChatServer.Tests.Rooms.Access.Support;

/// <summary>Says who is in a room, as the test wants it; to begin with, user 7 is.</summary>
internal sealed class MemberSource : IMemberSource
{
    /// <summary>The tokens under which it was asked.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public ConcurrentQueue<RoomKey> Rooms { get; } = new();

    public Func<Task> Before { get; set; } = () => Task.CompletedTask;

    /// <summary>Gives the members that the user of a token is told; null: there is no such room for that user.</summary>
    public Func<string, IReadOnlyList<long>?> Answer { get; set; } = _ => [7];

    public async ValueTask<IReadOnlyList<long>?> GetMembersAsync(RoomKey room, string tokenKey, CancellationToken cancellation)
    {
        Asked.Enqueue(tokenKey);
        Rooms.Enqueue(room);
        await Before();
        return Answer(tokenKey);
    }
}
