using System.Text;
using System.Text.Json.Nodes;
using ChatServer.Connections;
using ChatServer.Requests;
using ChatServer.Rooms;
using ChatServer.Sessions;
using ChatServer.Tests.Connections.Support;
using ChatServer.Tests.Support;
using ChatServer.Users;

namespace ChatServer.Tests.Requests.Support;

/// <summary>
/// A connection without a socket: the test hands in its frames, one after the other as its loop does, and reads what it is sent.
/// </summary>
internal sealed class RequestPeer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ServiceParts _parts;
    private int _taken;

    public RequestPeer(ServiceParts parts)
    {
        _parts = parts;
        Connection = new Connection(Outbound, () => { }, parts.Get<TimeProvider>());
        Client = new Client(
            Connection, parts.Connections, parts.Get<RoomDirectory>(), parts.Get<UserChannels>(), parts.Get<SessionWatch>(),
            parts.Get<RequestOptions>(), parts.Get<TimeProvider>());
        parts.Connections.Add(Connection);
    }

    public RecordingOutbound Outbound { get; } = new();

    public Connection Connection { get; }

    public Client Client { get; }

    /// <summary>The frames that were not taken yet.</summary>
    public IReadOnlyList<JsonObject> Waiting => [.. Outbound.Texts.Skip(_taken)];

    /// <summary>Makes a session, as Quantum does at a login, and lets its user in.</summary>
    public static async Task<RequestPeer> LoginAsync(
        ServiceParts parts, long user, string? roomIds = null, long company = TestSessions.Company, string session = "s")
    {
        var key = Store(parts, user, roomIds, company, session);
        var peer = new RequestPeer(parts);
        (await peer.AdmitAsync(TestSessions.Token(key.ToString()))).Should().BeTrue();
        (await peer.NextAsync("auth")).Flag("success").Should().BeTrue();
        return peer;
    }

    /// <summary>As <see cref="LoginAsync"/>, and in a room.</summary>
    public static async Task<RequestPeer> JoinAsync(ServiceParts parts, long user, long room)
    {
        var peer = await LoginAsync(parts, user, $"[{room}]");
        await peer.NextAsync("joined");
        return peer;
    }

    /// <summary>Makes a session.</summary>
    public static SessionKey Store(
        ServiceParts parts, long user, string? roomIds = null, long company = TestSessions.Company, string session = "s",
        int seconds = 3600)
    {
        var key = new SessionKey(session, company, user);
        parts.Sessions.Sessions.Put(
            key, Encoding.UTF8.GetBytes(TestSessions.Record(user, company, roomIds)), TimeSpan.FromSeconds(seconds));
        return key;
    }

    /// <summary>Hands in the first frame.</summary>
    public Task<bool> AdmitAsync(string text) =>
        _parts.Get<Admission>().AdmitAsync(Client, Encoding.UTF8.GetBytes(text)).AsTask().WaitAsync(Patience);

    /// <summary>Hands in a text frame and waits until the next one may follow, and no room is being entered.</summary>
    public async Task SendAsync(string frame)
    {
        await Handle(frame).WaitAsync(Patience);
        await Eventually.TrueAsync(() => Client.Lines is not { Count: > 0 }, Patience, () => "a room is still being entered");
    }

    /// <summary>Hands in a text frame.</summary>
    /// <returns>Completes when the next one may follow.</returns>
    public Task Handle(string frame) => _parts.Get<ClientRequests>().HandleAsync(Client, Encoding.UTF8.GetBytes(frame)).AsTask();

    public Task ChatAsync(long room, string identifier, string body = "hello") => SendAsync(
        $$"""{"type":"chat","room_id":{{room}},"identifier":"{{identifier}}","body":"{{body}}"}""");

    /// <summary>Hands in a piece of a binary frame.</summary>
    public Task SendBytesAsync(byte[] bytes, bool isEnd = true) =>
        _parts.Get<FileRequests>().ReceiveAsync(Client, bytes, isEnd).AsTask().WaitAsync(Patience);

    /// <summary>The next frame, which must be of that type.</summary>
    public async Task<JsonObject> NextAsync(string type)
    {
        await Eventually.TrueAsync(() => Outbound.Texts.Count > _taken, Patience, () => $"no {type} came");
        var frame = Outbound.Texts[_taken++];
        frame.Type().Should().Be(type, "the next frame is {0}", frame.ToJsonString());
        return frame;
    }

    /// <summary>The next frame, which must be an error of that code.</summary>
    public async Task<JsonObject> ErrorAsync(string code)
    {
        var frame = await NextAsync("info");
        frame.Flag("success").Should().BeFalse();
        frame.Text("code").Should().Be(code, "the error is {0}", frame.ToJsonString());
        frame.Text("message").Should().NotBeEmpty();
        return frame;
    }

    /// <summary>Waits for the close frame.</summary>
    public async Task<int> ClosedAsync()
    {
        await Eventually.TrueAsync(() => Outbound.CloseCodes.Count > 0, Patience, () => "it was not closed");
        return Outbound.CloseCodes.Should().ContainSingle().Which;
    }
}
