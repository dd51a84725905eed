using System.Collections.Concurrent;
using System.Text;
using ChatServer.Backplane;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Backplane.Support;

/// <summary>Keeps what a room's subscription brings.</summary>
internal sealed class Heard : IRoomListener
{
    private readonly ConcurrentQueue<RelayedMessage> _messages = new();
    private readonly ConcurrentQueue<RoomNotice> _notices = new();

    public IReadOnlyList<RelayedMessage> Messages => [.. _messages];

    public IReadOnlyList<RoomNotice> Notices => [.. _notices];

    public bool Lacks(long seq, string epoch) => true;

    public void OnMessage(RelayedMessage message) => _messages.Enqueue(message with { Json = message.Json.ToArray() });

    public void OnNotice(RoomNotice notice) => _notices.Enqueue(notice with { Json = notice.Json.ToArray() });

    public async Task<IReadOnlyList<RelayedMessage>> MessagesAsync(int count)
    {
        await Eventually.TrueAsync(
            () => _messages.Count >= count, TimeSpan.FromSeconds(10), () => $"{_messages.Count} of {count} messages came");
        return Messages;
    }

    public async Task<IReadOnlyList<RoomNotice>> NoticesAsync(int count)
    {
        await Eventually.TrueAsync(
            () => _notices.Count >= count, TimeSpan.FromSeconds(10), () => $"{_notices.Count} of {count} notices came");
        return Notices;
    }

    public static string Text(ReadOnlyMemory<byte> json) => Encoding.UTF8.GetString(json.Span);
}
