using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Users;
using ChatServer.WebSockets;

namespace ChatServer.Requests;

/// <summary>
/// One socket's lifetime, seen from its reading side: bytes become frames, frames are handled one after the other, and at the end
/// everything that the connection held is given back. An idle connection holds no buffer.
/// </summary>
internal sealed partial class ConnectionLoop(
    Admission admission, ClientRequests requests, FileRequests files, ConnectionRegistry connections, RoomDirectory rooms,
    UserChannels users, SessionWatch sessions, RequestOptions options, TimeProvider time, ILogger<ConnectionLoop> logger)
{
    /// <summary>Serves a connection until it ends; what ends it is logged, never thrown.</summary>
    public async Task RunAsync(Connection connection, PipeReader input)
    {
        var client = new Client(connection, connections, rooms, users, sessions, options, time);
        connection.Work = client;
        connections.Add(connection);
        try
        {
            await ReceiveAsync(client, input);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // A peer that goes without a close frame is an expected end.
            Log.Gone(logger, connection.IdText, exception.Message);
        }
        catch (Exception exception)
        {
            // A bug of ours must be seen, and must end this connection alone.
            Log.Failed(logger, exception, connection.IdText);
            await connection.Outbound.CloseAsync(CloseReason.InternalError, ConnectionOptions.CloseGrace);
        }
        finally
        {
            connection.Finish();
            await client.DisposeAsync();
            await connection.Outbound.DisposeAsync();
        }
    }

    private async Task ReceiveAsync(Client client, PipeReader input)
    {
        // Whose session is not known may send no binary frame: it is refused by its header, before anything of it is kept.
        using var reader = new FrameReader(RequestOptions.MaxFirstFrameBytes, maxBinaryBytes: 0, client.Connection.Deflates);
        while (true)
        {
            var received = await input.ReadAsync();
            if (received.Buffer.IsEmpty && received.IsCompleted)
            {
                return;
            }

            client.Connection.Heard();
            var handling = HandleAsync(client, reader, received.Buffer);
            if (handling.IsCompleted)
            {
                await handling;
            }
            else
            {
                client.Connection.IsBusy = true;
                await handling;
                client.Connection.Heard();
                client.Connection.IsBusy = false;
            }

            input.AdvanceTo(received.Buffer.End);
            if (client.Connection.PeerClosed is { } reason)
            {
                await client.Connection.Outbound.CloseAsync(reason, ConnectionOptions.CloseGrace);
                if (client.IsBroken)
                {
                    await LingerAsync(input);
                }

                return;
            }
        }
    }

    private async ValueTask HandleAsync(Client client, FrameReader reader, ReadOnlySequence<byte> received)
    {
        foreach (var piece in received)
        {
            // The transport's own buffers, lent to us until we advance: frames are unmasked in place.
            var bytes = MemoryMarshal.AsMemory(piece);
            for (var used = 0; used < bytes.Length;)
            {
                var (step, handling) = Step(client, reader, bytes.Span[used..]);
                used += step;
                await handling;
            }
        }
    }

    /// <summary>Handles frames until one has to be waited for, or the input is used up.</summary>
    private (int Used, ValueTask Handling) Step(Client client, FrameReader reader, Span<byte> input)
    {
        var rest = input;
        while (client.Connection.PeerClosed is null)
        {
            var handling = Handle(client, reader, reader.Read(ref rest), out var isMore);
            if (!handling.IsCompletedSuccessfully || !isMore)
            {
                return (input.Length - rest.Length, handling);
            }
        }

        return (input.Length, ValueTask.CompletedTask);
    }

    private ValueTask Handle(Client client, FrameReader reader, FrameEvent frame, out bool isMore)
    {
        var connection = client.Connection;
        isMore = frame.Kind != FrameEventKind.None;
        switch (frame.Kind)
        {
            case FrameEventKind.Close:
                connection.PeerClosed = frame.Reason == CloseReason.None ? CloseReason.Normal : frame.Reason;
                return ValueTask.CompletedTask;
            case FrameEventKind.Violation:
                // From here on it is unknown where frames begin: the rest of the stream is not parsed.
                client.IsBroken = true;
                connection.PeerClosed = connection.Caller is null && frame.Reason == CloseReason.TooBig
                    ? CloseReason.BadFirstFrame
                    : frame.Reason;
                return ValueTask.CompletedTask;
            case FrameEventKind.Ping:
                AnswerPing(client, frame.Payload);
                return ValueTask.CompletedTask;
            case FrameEventKind.Text when !connection.IsClosing:
                return connection.Caller is null
                    ? AdmitAsync(client, reader, frame.Payload.ToArray())
                    : requests.HandleAsync(client, frame.Payload);
            case FrameEventKind.Binary when connection.Caller is null:
                connection.Close(CloseReason.BadFirstFrame);
                return ValueTask.CompletedTask;
            case FrameEventKind.Binary when !connection.IsClosing:
                return client.Lines is { Count: > 0 } lines
                    ? ReceiveInTurnAsync(client, lines, frame.Payload.ToArray(), frame.EndOfMessage)
                    : files.ReceiveAsync(client, frame.Payload, frame.EndOfMessage);
            default:
                return ValueTask.CompletedTask;
        }
    }

    /// <summary>
    /// Reads and drops what still comes: if input is unread when a connection ends, the kernel resets it, and the close frame may be lost.
    /// </summary>
    private async Task LingerAsync(PipeReader input)
    {
        using var enough = new CancellationTokenSource(ConnectionOptions.LingerTime, time);
        while (await input.ReadAsync(enough.Token) is { IsCompleted: false, Buffer: var more })
        {
            input.AdvanceTo(more.End);
        }
    }

    private async ValueTask AdmitAsync(Client client, FrameReader reader, byte[] text)
    {
        if (await admission.AdmitAsync(client, text))
        {
            (reader.MaxTextBytes, reader.MaxBinaryBytes) = (options.MaxMessageBytes, RequestOptions.MaxBinaryFrameBytes);
        }
    }

    private async ValueTask ReceiveInTurnAsync(Client client, RoomLines lines, byte[] bytes, bool isEnd)
    {
        await lines.TakeTurnAsync();
        try
        {
            await files.ReceiveAsync(client, bytes, isEnd);
        }
        finally
        {
            lines.EndTurn();
        }
    }

    /// <summary>A ping counts like a text frame; one beyond the limit gets no answer.</summary>
    private static void AnswerPing(Client client, ReadOnlySpan<byte> data)
    {
        switch (client.Rate.Take())
        {
            case RateVerdict.Pass:
                Span<byte> pong = stackalloc byte[FrameReader.MaxControlBytes + 2];
                client.Connection.Send(pong[..FrameWriter.Write(pong, Opcode.Pong, data)]);
                break;
            case RateVerdict.Close:
                client.Connection.Close(CloseReason.RateLimited);
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1200, LogLevel.Debug, "Connection {Connection} went away: {Why}")]
        public static partial void Gone(ILogger logger, string connection, string why);

        [LoggerMessage(1201, LogLevel.Error, "Connection {Connection} ended because of an unexpected error.")]
        public static partial void Failed(ILogger logger, Exception exception, string connection);
    }
}
