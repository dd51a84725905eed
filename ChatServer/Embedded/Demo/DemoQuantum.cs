using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatServer.Quantum;

namespace ChatServer.Embedded.Demo;

/// <summary>
/// What the demo Quantum knows: users, rooms, saved messages, in memory and bounded. Every member may be called from any thread.
/// </summary>
internal sealed class DemoQuantum
{
    /// <summary>The path of its REST API: the chat service's QUANTUM_SERVER_URL while it runs embedded.</summary>
    public const string BasePath = "/demo/quantum";

    public const int MaxUsers = 1000;

    /// <summary>Longer bodies are refused for good, so that the page's "not saved" can be seen.</summary>
    public const int MaxBodyLength = 4000;

    private static readonly string[] ReadyNames = ["Ada", "Alan", "Barbara", "Edsger", "Grace", "Katherine"];

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly string? _serviceToken;
    private readonly List<DemoUser> _users = [];
    private readonly Dictionary<string, DemoUser> _usersByName = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, DemoUser> _usersByTokenKey = new(StringComparer.Ordinal);
    private readonly Dictionary<long, string> _tokenKeys = [];
    private readonly Dictionary<long, DemoRoomLog> _rooms;
    private long _lastMessageId = 9000;

    /// <param name="options">Where the chat service has a token of its own for saves, this Quantum knows it.</param>
    public DemoQuantum(TimeProvider time, QuantumOptions? options = null)
    {
        _time = time;
        _serviceToken = options?.ServiceToken;
        foreach (var name in ReadyNames)
        {
            AddUser(name);
        }

        HashSet<long> inner = [UserNamed("Ada").Id, UserNamed("Alan").Id, UserNamed("Grace").Id];
        _rooms = new[]
        {
            new DemoRoomLog(new DemoRoom(1, "General", Private: false), members: null),
            new DemoRoomLog(new DemoRoom(2, "Coffee corner", Private: false), members: null),
            new DemoRoomLog(new DemoRoom(3, "Help desk", Private: false), members: null),
            new DemoRoomLog(new DemoRoom(4, "Engine room", Private: true), inner),
        }.ToDictionary(log => log.Room.Id);

        Greet(1, "Grace", "Welcome! Open a second tab under another name and talk to yourself.");
        Greet(1, "Alan", "Messages go over one WebSocket. The ticks tell how far yours came: sent, then saved.");
        Greet(4, "Alan", "Only Ada, Alan and Grace can see this room.");
    }

    public IReadOnlyList<DemoUser> ReadyUsers
    {
        get
        {
            lock (_lock)
            {
                return _users[..ReadyNames.Length];
            }
        }
    }

    /// <summary>Finds the user of that name, ignoring case, or adds one.</summary>
    /// <returns>False if the demo has <see cref="MaxUsers"/> users already.</returns>
    public bool TryGetOrAddUser(string name, [NotNullWhen(true)] out DemoUser? user, [NotNullWhen(true)] out string? tokenKey)
    {
        lock (_lock)
        {
            user = _usersByName.GetValueOrDefault(name) ?? (_users.Count < MaxUsers ? AddUser(name) : null);
            tokenKey = user is null ? null : _tokenKeys[user.Id];
            return user is not null;
        }
    }

    public DemoUser? UserOfTokenKey(string tokenKey)
    {
        lock (_lock)
        {
            return _usersByTokenKey.GetValueOrDefault(tokenKey);
        }
    }

    public bool IsServiceToken(string tokenKey) => _serviceToken is not null && tokenKey == _serviceToken;

    /// <summary>Whether the token is that user's own, or the chat service's and there is such a user.</summary>
    public bool MaySaveFor(string tokenKey, long userId)
    {
        lock (_lock)
        {
            return IsServiceToken(tokenKey)
                ? _tokenKeys.ContainsKey(userId)
                : _usersByTokenKey.TryGetValue(tokenKey, out var user) && user.Id == userId;
        }
    }

    public IReadOnlyList<DemoRoom> RoomsOf(long userId)
    {
        lock (_lock)
        {
            return [.. _rooms.Values.Where(log => log.IsMember(userId)).Select(log => log.Room)];
        }
    }

    /// <returns>Null for an unknown room.</returns>
    public IReadOnlyList<DemoUser>? Members(long roomId)
    {
        lock (_lock)
        {
            return _rooms.TryGetValue(roomId, out var log) ? _users.FindAll(user => log.IsMember(user.Id)) : null;
        }
    }

    /// <returns>Oldest first; null for an unknown room.</returns>
    public IReadOnlyList<DemoMessage>? Newest(long roomId, int count)
    {
        lock (_lock)
        {
            return _rooms.TryGetValue(roomId, out var log) ? log.Newest(count) : null;
        }
    }

    /// <summary>Saves a message once per (room, user, identifier): a repetition gives the message that was saved first.</summary>
    /// <returns>Null if the user is no member of the room.</returns>
    public DemoMessage? Save(long roomId, long userId, string identifier, string body, DemoFile? file = null)
    {
        lock (_lock)
        {
            if (!_rooms.TryGetValue(roomId, out var log) || !log.IsMember(userId))
            {
                return null;
            }

            if (log.Find(userId, identifier) is { } earlier)
            {
                return earlier;
            }

            var message = new DemoMessage(++_lastMessageId, roomId, identifier, userId, body, _time.GetUtcNow(), file);
            log.Add(message);
            return message;
        }
    }

    private DemoUser UserNamed(string name) => _usersByName[name];

    private DemoUser AddUser(string name)
    {
        var user = new DemoUser(_users.Count + 1, name);
        var tokenKey = RandomNumberGenerator.GetHexString(40, lowercase: true);
        _users.Add(user);
        _usersByName.Add(name, user);
        _usersByTokenKey.Add(tokenKey, user);
        _tokenKeys.Add(user.Id, tokenKey);
        return user;
    }

    private void Greet(long roomId, string name, string body) =>
        Save(roomId, UserNamed(name).Id, $"greeting-{_lastMessageId}", body);
}
