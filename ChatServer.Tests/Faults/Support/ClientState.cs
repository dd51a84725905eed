using System.Text.Json;

namespace ChatServer.Tests.Faults.Support;

/// <summary>What a client knows: up to where it has seen its rooms, which messages have no ack, and all that has happened.</summary>
internal sealed class ClientState
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMilliseconds(300);

    private readonly Persona _who;
    private readonly Writer _writer;
    private readonly Dictionary<long, RoomState> _rooms;
    private readonly List<ChatEvent> _events = [];
    private readonly Lock _gate = new();
    private int _connection;
    private bool _isIn;

    public ClientState(Persona who, TimeSpan interval, Random random)
    {
        (_who, _writer) = (who, new(who, interval, random));
        _rooms = who.Rooms.ToDictionary(room => room, _ => new RoomState());
    }

    /// <summary>Whether it writes new messages; what has no ack is sent again in any case.</summary>
    public bool Sends
    {
        set
        {
            lock (_gate)
            {
                _writer.Sends = value;
            }
        }
    }

    public ClientHistory History => Locked(() => new ClientHistory(_who, [.. _events]));

    public bool IsHome => Locked(() => _isIn && _rooms.Values.All(room => room.IsJoined));

    public int Unacked => Locked(() => _writer.Unacked);

    /// <summary>Messages that it has an ack for.</summary>
    public IReadOnlyList<Acked> Acks => Locked(() => _events.OfType<Acked>().ToList());

    /// <summary>Has many messages to send at once.</summary>
    public void Burst(long room, int count, bool areLarge)
    {
        lock (_gate)
        {
            for (var number = 0; number < count; number++)
            {
                _writer.Write(room, areLarge);
            }
        }
    }

    /// <summary>Something happens to it that no frame tells.</summary>
    public void Note(ChatEvent happened)
    {
        lock (_gate)
        {
            _events.Add(happened);
        }
    }

    public bool IsIn(long room) => Locked(() => _isIn && _rooms[room].IsJoined);

    public long Since(long room) => Locked(() => _rooms[room].Since ?? -1);

    public override string ToString()
    {
        lock (_gate)
        {
            var rooms = _rooms.Select(room => $"{room.Key}: {(room.Value.IsJoined ? "in" : "out")} at {room.Value.Since}");
            return $"{_who}, {(_isIn ? "connected" : "away")}, {_writer.Unacked} unacked, rooms {string.Join(", ", rooms)}";
        }
    }

    /// <summary>The first frame of a new connection.</summary>
    public byte[] Auth(string token, int connection)
    {
        lock (_gate)
        {
            _connection = connection;
            foreach (var room in _rooms.Values)
            {
                room.Ask();
            }

            return JsonSerializer.SerializeToUtf8Bytes(new
            {
                type = "auth",
                token,
                rooms = _rooms.Select(room => new { room_id = room.Key, since = room.Value.AskedSince, epoch = room.Value.Epoch }),
            });
        }
    }

    /// <returns>What is to be sent now; null if that is nothing.</returns>
    public byte[]? NextFrame()
    {
        lock (_gate)
        {
            if (!_isIn)
            {
                return null;
            }

            var now = TimeProvider.System.GetTimestamp();
            foreach (var (id, room) in _rooms)
            {
                if (!room.IsJoined && !room.IsAsked && room.DueAt <= now)
                {
                    room.Ask();
                    return JsonSerializer.SerializeToUtf8Bytes(
                        new { type = "join", room_id = id, since = room.AskedSince, epoch = room.Epoch });
                }
            }

            if (_writer.Next(now, room => _rooms[room].IsJoined) is not { } due)
            {
                return null;
            }

            _events.Add(new Sent(_connection, due.Room, due.Identifier));
            return JsonSerializer.SerializeToUtf8Bytes(
                new { type = "chat", room_id = due.Room, identifier = due.Identifier, body = Checker.BodyOf(due.Identifier) });
        }
    }

    public void OnFrame(JsonElement frame, string node)
    {
        lock (_gate)
        {
            switch (frame.GetProperty("type").GetString())
            {
                case "auth" when frame.GetProperty("success").GetBoolean():
                    _isIn = true;
                    _events.Add(new Connected(_connection, node));
                    break;
                case "joined":
                    OnJoined(frame);
                    break;
                case "chat":
                    foreach (var message in frame.GetProperty("messages").EnumerateArray())
                    {
                        OnTold(message);
                    }

                    break;
                case "ack":
                    OnAcked(frame);
                    break;
                case "left" when frame.TryGetProperty("code", out var code) && code.GetString() == "removed":
                    OnPutOut(frame.GetProperty("room_id").GetInt64());
                    break;
                case "info" when !frame.GetProperty("success").GetBoolean():
                    OnRefused(frame);
                    break;
            }
        }
    }

    public void OnClosed(int code) => Note(new Ended(code));

    /// <summary>The connection is gone: everything without an ack is due again, once its room is entered.</summary>
    public void OnEnded()
    {
        lock (_gate)
        {
            _isIn = false;
            foreach (var room in _rooms.Values)
            {
                (room.IsJoined, room.IsAsked) = (false, false);
            }

            _writer.OnEnded();
        }
    }

    private void OnJoined(JsonElement frame)
    {
        var id = frame.GetProperty("room_id").GetInt64();
        var (seq, epoch, recovered) = (
            frame.GetProperty("seq").GetInt64(), frame.GetProperty("epoch").GetString()!, frame.GetProperty("recovered").GetBoolean());
        if (!_rooms.TryGetValue(id, out var room))
        {
            _events.Add(new Joined(id, seq, epoch, recovered, false, null));
            return;
        }

        _events.Add(new Joined(id, seq, epoch, recovered, room.IsAsked, room.AskedSince));
        room.Epoch = epoch;
        if (!recovered)
        {
            room.Since = seq;
        }

        (room.IsJoined, room.IsAsked) = (true, false);
    }

    private void OnTold(JsonElement message)
    {
        var told = new Told(
            message.GetProperty("company_id").GetInt64(), message.GetProperty("room_id").GetInt64(),
            message.GetProperty("from_user_id").GetInt64(),
            message.GetProperty("seq").GetInt64(), message.GetProperty("identifier").GetString()!,
            Checker.Abridge(message.GetProperty("body").GetString()!));
        _events.Add(told);
        See(told.Room, told.Seq);
    }

    private void OnAcked(JsonElement frame)
    {
        var acked = new Acked(
            frame.GetProperty("room_id").GetInt64(), frame.GetProperty("identifier").GetString()!, frame.GetProperty("seq").GetInt64());
        _events.Add(acked);
        _writer.OnAcked(acked.Identifier);
        See(acked.Room, acked.Seq);
    }

    /// <summary>It asks to be let in again and again, like somebody who does not understand.</summary>
    private void OnPutOut(long id)
    {
        _events.Add(new PutOut(id));
        if (_rooms.TryGetValue(id, out var room))
        {
            (room.IsJoined, room.IsAsked, room.DueAt) =
                (false, false, Writer.After(TryAgainAfter, TimeProvider.System.GetTimestamp()));
        }
    }

    private void OnRefused(JsonElement frame)
    {
        long? roomId = frame.TryGetProperty("room_id", out var id) && id.ValueKind == JsonValueKind.Number ? id.GetInt64() : null;
        var identifier = frame.TryGetProperty("identifier", out var name) ? name.GetString() : null;
        _events.Add(new Refused(roomId, identifier, frame.GetProperty("code").GetString()!));
        var later = Writer.After(TryAgainAfter, TimeProvider.System.GetTimestamp());
        if (identifier is not null)
        {
            _writer.OnRefused(identifier, later);
        }
        else if (roomId is { } refused && _rooms.TryGetValue(refused, out var room))
        {
            // The join failed, perhaps in the midst of its replay: what came counts, the rest is asked for again.
            (room.IsJoined, room.IsAsked, room.DueAt) = (false, false, later);
        }
    }

    /// <summary>Counts on only from one message to the very next: what lies behind a hole has not been seen.</summary>
    private void See(long roomId, long seq)
    {
        if (_rooms.TryGetValue(roomId, out var room) && seq == room.Since + 1)
        {
            room.Since = seq;
        }
    }

    private T Locked<T>(Func<T> get)
    {
        lock (_gate)
        {
            return get();
        }
    }
}
