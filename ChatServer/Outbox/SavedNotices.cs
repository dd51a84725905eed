using System.Text.Json;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Tells a room's other users which of a sender's messages are saved: the first at once, then one frame for all that was saved within
/// <see cref="OutboxOptions.NoticeInterval"/>, so that in a large room not each message is followed by a second one to everybody. Nobody
/// waits for it; what Redis can't take now goes with the next one.
/// </summary>
internal sealed class SavedNotices(IBackplane backplane, TimeProvider time)
{
    private readonly Dictionary<(RoomKey Room, long Sender), Turn> _turns = [];
    private readonly Lock _gate = new();
    private bool _isOver;

    public void Add(RoomKey room, long sender, SavedMessage saved)
    {
        lock (_gate)
        {
            if (_turns.TryGetValue((room, sender), out var turn))
            {
                turn.Waiting.Enqueue(saved);
                return;
            }

            Begin(room, sender);
        }

        _ = SendAsync(room, sender, [saved]);
    }

    /// <summary>The node stops: sends what waits, as far as Redis takes it, and does not try again.</summary>
    public async ValueTask FlushAsync()
    {
        List<(RoomKey Room, long Sender, SavedMessage[] Saved)> rest;
        lock (_gate)
        {
            _isOver = true;
            rest = [.. _turns.Select(turn => (turn.Key.Room, turn.Key.Sender, turn.Value.Waiting.ToArray()))
                .Where(turn => turn.Item3.Length > 0)];
            foreach (var turn in _turns.Values)
            {
                turn.Timer!.Dispose();
            }

            _turns.Clear();
        }

        await Task.WhenAll(rest.Select(turn => SendAsync(turn.Room, turn.Sender, turn.Saved)));
    }

    private void NextTurn(RoomKey room, long sender)
    {
        SavedMessage[] saved;
        lock (_gate)
        {
            if (!_turns.TryGetValue((room, sender), out var turn))
            {
                return;
            }

            saved = [.. turn.Waiting];
            turn.Waiting.Clear();
            if (saved.Length == 0)
            {
                _turns.Remove((room, sender));
                turn.Timer!.Dispose();
                return;
            }

            turn.Timer!.Change(OutboxOptions.NoticeInterval, Timeout.InfiniteTimeSpan);
        }

        // All of it, however much was saved meanwhile: what stays behind would pile up.
        foreach (var part in saved.Chunk(OutboxOptions.MaxMessagesPerNotice))
        {
            _ = SendAsync(room, sender, part);
        }
    }

    private async Task SendAsync(RoomKey room, long sender, IReadOnlyList<SavedMessage> saved)
    {
        try
        {
            await backplane.NotifyRoomAsync(room, new RoomNotice(sender, 0, JsonSerializer.SerializeToUtf8Bytes(
                new SavedFrame("saved", room.RoomId, saved), ProtocolJson.Default.SavedFrame)) { MayWait = true });
        }
        catch (RedisUnavailableException)
        {
            Keep(room, sender, saved);
        }
    }

    private void Keep(RoomKey room, long sender, IReadOnlyList<SavedMessage> saved)
    {
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            // Redis may have taken longer to fail than the turn lasted.
            var turn = _turns.GetValueOrDefault((room, sender)) ?? Begin(room, sender);
            foreach (var message in saved)
            {
                // Clients find them by seq; their order does not matter.
                turn.Waiting.Enqueue(message);
            }
        }
    }

    private Turn Begin(RoomKey room, long sender)
    {
        var turn = new Turn();
        _turns[(room, sender)] = turn;
        turn.Timer = time.CreateTimer(_ => NextTurn(room, sender), null, OutboxOptions.NoticeInterval, Timeout.InfiniteTimeSpan);
        return turn;
    }

    private sealed class Turn
    {
        public Queue<SavedMessage> Waiting { get; } = new();

        public ITimer? Timer { get; set; }
    }
}
