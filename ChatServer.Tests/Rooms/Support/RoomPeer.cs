using System.Text.Json.Nodes;
using ChatServer.Connections;
using ChatServer.Sessions;
using ChatServer.Tests.Connections.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Rooms.Support;

/// <summary>A real connection of a user, whose peer keeps what it gets.</summary>
internal sealed class RoomPeer
{
    public RoomPeer(
        long user = 7, int queueBytes = int.MaxValue, bool deflates = false, TimeProvider? time = null, bool queuesFirst = false)
    {
        Outbound = new RecordingOutbound(queueBytes, time, queuesFirst);
        Connection = new Connection(Outbound, () => { }, TimeProvider.System) { Deflates = deflates };
        Connection.Authenticated(new Caller(user, 3, "rest", null, new SessionKey($"s{user}", 3, user), null));
    }

    public RecordingOutbound Outbound { get; }

    public Connection Connection { get; }

    /// <summary>What it got, a word each: <c>joined 5</c>, <c>6</c> for a message, <c>ack 7</c>, <c>left</c>, or a notice's type.</summary>
    public IReadOnlyList<string> Seen => [.. Outbound.Texts.SelectMany(Words)];

    public async Task<IReadOnlyList<string>> SeenAsync(int count)
    {
        await Eventually.TrueAsync(
            () => Seen.Count >= count, TimeSpan.FromSeconds(10), () => $"of {count} frames came: {string.Join(", ", Seen)}");
        return Seen;
    }

    /// <summary>Waits until a frame came; what was sent before it has come too.</summary>
    public async Task<IReadOnlyList<string>> SeenUpToAsync(string word)
    {
        await Eventually.TrueAsync(
            () => Seen.Contains(word), TimeSpan.FromSeconds(10), () => $"\"{word}\" did not come, but: {string.Join(", ", Seen)}");
        return [.. Seen.TakeWhile(seen => seen != word)];
    }

    private static IEnumerable<string> Words(JsonObject frame) => frame["type"]!.GetValue<string>() switch
    {
        "joined" => [$"joined {frame["seq"]}{(frame["recovered"]!.GetValue<bool>() ? " recovered" : "")}"],
        "ack" => [$"ack {frame["seq"]}"],
        "chat" or "file" => frame["messages"]!.AsArray().Select(message => $"{message!["seq"]}"),
        var type => [type],
    };
}
