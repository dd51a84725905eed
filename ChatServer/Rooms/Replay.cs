using System.Buffers;
using ChatServer.Deliver;
using ChatServer.Relay;

namespace ChatServer.Rooms;

/// <summary>
/// Brings a returning connection up to date: reads the log from where it was, page by page and no faster than the connection takes it, and lets it join where
/// the log's end meets the live messages.
/// </summary>
internal sealed class Replay(IRelay relay, DeliverOptions options)
{
    private const int PageMessages = 64;

    /// <summary>How long a peer may take to make room for the next page before it counts as slow.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <returns>Null where the connection went away, or was closed as slow, meanwhile.</returns>
    /// <exception cref="RelayUnavailableException">Redis is out of reach.</exception>
    public async ValueTask<Member?> JoinAsync(Room room, Connection connection, long since, string? epoch)
    {
        var seen = since;
        string? started = null;
        while (!connection.IsClosing)
        {
            var tail = room.StartTail();
            try
            {
                var page = await relay.ReadAsync(room.Key, seen, PageMessages);
                var isWhole = page.Messages.Count > 0 ? page.Messages[0].Seq == seen + 1 : seen == page.Head;
                if (started is null)
                {
                    if (!isWhole || epoch != page.Epoch)
                    {
                        return room.Join(connection);
                    }

                    await CatchUpAsync(room, since);
                    started = page.Epoch;
                    connection.Send(RoomFrames.Joined(room.Key.RoomId, page.Head, page.Epoch, recovered: true));
                }
                else if (!isWhole || started != page.Epoch)
                {
                    // The log moved on faster than this peer reads: coming back, it is told that it can't recover.
                    connection.Close(Protocol.CloseReason.SlowConsumer);
                    return null;
                }

                foreach (var message in page.Messages)
                {
                    // Redis may be ahead of what the subscription has brought here.
                    room.OnMessage(message);
                }

                if (!await SendAsync(connection, page.Messages))
                {
                    return null;
                }

                seen = page.Messages.Count > 0 ? page.Messages[^1].Seq : seen;
                if (room.TryJoin(connection, seen, tail) is { } member)
                {
                    return member;
                }
            }
            finally
            {
                room.StopTail(tail);
            }
        }

        return null;
    }

    /// <summary>
    /// Lets the room read what the subscription has not brought here yet: a newcomer that has seen more than the room, on another node, would get it again.
    /// </summary>
    private async ValueTask CatchUpAsync(Room room, long since)
    {
        for (var seq = room.Seq; seq < since; seq = room.Seq)
        {
            foreach (var message in (await relay.ReadAsync(room.Key, seq, PageMessages)).Messages)
            {
                room.OnMessage(message);
            }

            if (room.Seq == seq)
            {
                throw new RelayUnavailableException("The room waits for messages that the log holds no more.");
            }
        }
    }

    private async ValueTask<bool> SendAsync(Connection connection, IReadOnlyList<RelayedMessage> messages)
    {
        var frames = new ArrayBufferWriter<byte>();
        for (var index = 0; index < messages.Count; index++)
        {
            RoomFrames.WriteMessage(frames, messages[index].Json.Span);
            if (index < messages.Count - 1 && frames.WrittenCount < options.SendQueueBytes / 4)
            {
                continue;
            }

            // Half the queue stays free for live messages of other rooms.
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                await connection.Outbound.WaitForDrainAsync(options.SendQueueBytes / 4, patience.Token);
            }
            catch (OperationCanceledException)
            {
                connection.Close(Protocol.CloseReason.SlowConsumer);
                return false;
            }

            if (!connection.Send(frames.WrittenSpan))
            {
                return false;
            }

            frames.ResetWrittenCount();
        }

        return true;
    }
}
