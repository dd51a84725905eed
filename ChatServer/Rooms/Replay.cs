using System.Buffers;
using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms.Access;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Rooms;

/// <summary>
/// Brings a returning connection up to date: reads the log from where it was, page by page and no faster than the connection takes it, and
/// lets it join where the log's end meets the live messages.
/// </summary>
internal sealed class Replay(IBackplane backplane, RoomTracker tracker, ConnectionOptions options)
{
    /// <returns>
    /// Null if the connection went away, or was closed as slow, meanwhile, or its user may no longer enter, as the permit tells.
    /// </returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public async ValueTask<RoomMember?> JoinAsync(Room room, Connection connection, long since, string? epoch, RoomPermit permit)
    {
        var seen = since;
        string? started = null;
        while (!connection.IsClosing && await permit.RenewAsync())
        {
            room.StartReplay();
            try
            {
                var page = await backplane.ReadAsync(room.Key, seen, RoomOptions.ReplayPageMessages);
                var isWhole = page.Messages.Count > 0 ? page.Messages[0].Seq == seen + 1 : seen == page.Head;
                if (started is null)
                {
                    if (!isWhole || page.Head - since > RoomOptions.MaxReplayMessages || !page.Continues(epoch, since))
                    {
                        return await JoinAsync(room, connection, permit);
                    }

                    started = page.Epoch;
                    permit.IsAnnounced = true;
                    connection.Send(RoomFrames.Joined(room.Key.RoomId, page.Head, page.Epoch, recovered: true));
                }
                else if (!isWhole || started != page.Epoch)
                {
                    // The log grew faster than this peer reads: when it reconnects, it is told that it can't recover.
                    connection.Close(CloseReason.SlowConsumer);
                    return null;
                }

                if (!permit.Holds)
                {
                    // The page was read for a member; whether it still is one is asked before anything more is sent.
                    continue;
                }

                if (!await SendAsync(connection, page.Messages))
                {
                    return null;
                }

                seen = page.Messages.Count > 0 ? page.Messages[^1].Seq : seen;
                if (room.Position is var position && (position.Epoch != started || position.Seq < seen))
                {
                    // The log is ahead of what the subscription has delivered here. If the peer joined now, it would get those messages
                    // again.
                    await tracker.CatchUpAsync(room);
                }

                if (room.TryJoin(connection, new(started, seen), permit) is { } member)
                {
                    return member;
                }
            }
            finally
            {
                room.StopReplay();
            }
        }

        return null;
    }

    /// <summary>A fresh view.</summary>
    /// <returns>Null if the user may no longer enter, as the permit tells.</returns>
    public static async ValueTask<RoomMember?> JoinAsync(Room room, Connection connection, RoomPermit permit)
    {
        while (await permit.RenewAsync())
        {
            if (room.TryJoin(connection, permit) is { } member)
            {
                return member;
            }
        }

        return null;
    }

    private async ValueTask<bool> SendAsync(Connection connection, IReadOnlyList<RelayedMessage> messages)
    {
        var frames = new ArrayBufferWriter<byte>();
        foreach (var message in messages)
        {
            var length = RoomFrames.MessageLength(message.Json.Span);
            if (frames.WrittenCount + length > options.SendQueueBytes / 4 && !await SendAsync(connection, frames))
            {
                return false;
            }

            RoomFrames.WriteMessage(frames, message.Json.Span);
        }

        return await SendAsync(connection, frames);
    }

    private async ValueTask<bool> SendAsync(Connection connection, ArrayBufferWriter<byte> frames)
    {
        if (frames.WrittenCount == 0)
        {
            return true;
        }

        // Half the queue stays free for live messages of other rooms, unless one message takes more than that.
        var mayWait = Math.Min(options.SendQueueBytes / 4, Math.Max(0, options.SendQueueBytes - frames.WrittenCount));
        using var patience = new CancellationTokenSource(RoomOptions.ReplayPatience);
        try
        {
            await connection.Outbound.WaitForDrainAsync(mayWait, patience.Token);
        }
        catch (OperationCanceledException)
        {
            connection.Close(CloseReason.SlowConsumer);
            return false;
        }

        if (!connection.Send(frames.WrittenSpan))
        {
            return false;
        }

        frames.ResetWrittenCount();
        return true;
    }
}
