using ChatServer.Protocol;

namespace ChatServer.Backplane;

/// <summary>
/// What waits for the accept step, room by room. Rooms take turns, and at its turn a room's messages go together: they share the room's
/// part of the script call and leave in one write per member. A room with much to say delays the others by one batch at most, and a batch is
/// bounded in bytes as well. Not safe for use by several threads at once.
/// </summary>
internal sealed class AcceptQueue
{
    private const int MostSpare = 64;

    private readonly Dictionary<RoomKey, Queue<PostedMessage>> _rooms = [];
    private readonly Queue<RoomKey> _turns = new();
    private readonly Stack<Queue<PostedMessage>> _spare = new();

    /// <summary>Puts a message behind those of its room.</summary>
    public void Add(PostedMessage message)
    {
        var room = message.Draft.Room;
        if (!_rooms.TryGetValue(room, out var waiting))
        {
            _rooms[room] = waiting = _spare.TryPop(out var spare) ? spare : new();
            _turns.Enqueue(room);
        }

        waiting.Enqueue(message);
    }

    /// <summary>Moves messages into a batch, those of a room in their order and next to each other.</summary>
    /// <param name="most">How many messages the batch may hold then.</param>
    /// <param name="mostBytes">How many bytes of JSON may be moved; one message is moved whatever its size.</param>
    /// <param name="mostOfRoom">How many of one room; one message is moved whatever its size.</param>
    public void MoveTo(List<PostedMessage> batch, int most, long mostBytes, long mostOfRoom)
    {
        var bytes = 0L;
        for (var left = _turns.Count; left > 0; left--)
        {
            var room = _turns.Peek();
            var waiting = _rooms[room];
            var (before, ofRoom) = (batch.Count, 0L);
            while (waiting.TryPeek(out var message) && batch.Count < most
                && (bytes == 0 || bytes + message.Draft.Json.Length <= mostBytes)
                && (ofRoom == 0 || ofRoom + message.Draft.Json.Length <= mostOfRoom))
            {
                batch.Add(waiting.Dequeue());
                bytes += message.Draft.Json.Length;
                ofRoom += message.Draft.Json.Length;
            }

            if (batch.Count == before)
            {
                // The batch is full; this room's turn is the next.
                return;
            }

            _turns.Dequeue();
            if (waiting.Count > 0)
            {
                _turns.Enqueue(room);
                continue;
            }

            _rooms.Remove(room);
            if (_spare.Count < MostSpare)
            {
                _spare.Push(waiting);
            }
        }
    }
}

/// <summary>A message on its way into the accept step.</summary>
/// <param name="Draft">The message.</param>
/// <param name="Names">Its room's names in Redis.</param>
/// <param name="Listener">Is told what became of it.</param>
internal readonly record struct PostedMessage(MessageDraft Draft, RoomNames Names, IAcceptListener Listener);
