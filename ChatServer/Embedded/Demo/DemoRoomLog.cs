namespace ChatServer.Embedded.Demo;

/// <summary>
/// The saved messages of one room, the newest <see cref="Capacity"/>. Not thread-safe: <see cref="DemoQuantum"/> holds the lock.
/// </summary>
internal sealed class DemoRoomLog(DemoRoom room, IReadOnlySet<long>? members)
{
    public const int Capacity = 1000;

    private readonly Queue<DemoMessage> _messages = new();
    private readonly Dictionary<(long UserId, string Identifier), DemoMessage> _byIdentifier = [];

    public DemoRoom Room => room;

    public bool IsMember(long userId) => members is null || members.Contains(userId);

    public DemoMessage? Find(long userId, string identifier) => _byIdentifier.GetValueOrDefault((userId, identifier));

    public void Add(DemoMessage message)
    {
        if (_messages.Count == Capacity)
        {
            var oldest = _messages.Dequeue();
            _byIdentifier.Remove((oldest.FromUserId, oldest.Identifier));
        }

        _messages.Enqueue(message);
        _byIdentifier.Add((message.FromUserId, message.Identifier), message);
    }

    public List<DemoMessage> Newest(int count) => [.. _messages.TakeLast(count)];
}
