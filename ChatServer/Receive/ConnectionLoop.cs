using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using ChatServer.Authenticate;
using ChatServer.Deliver;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;
using ChatServer.Wire;

namespace ChatServer.Receive;

/// <summary>
/// One socket's lifetime, seen from its reading side: bytes become frames, frames are handled one after the other, and at the end everything that the
/// connection held is given back. An idle connection holds no buffer.
/// </summary>
internal sealed partial class ConnectionLoop(
    Admission admission, ClientRequests requests, FileRequests files, ConnectionRegistry connections, RoomDirectory rooms, UserChannels users, SessionWatch sessions,
    ReceiveOptions options, TimeProvider time, ILogger<ConnectionLoop> logger)
{
    /// <summary>How long the answer to a peer's close frame may take to leave.</summary>
    private static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(5);

    /// <summary>How long a peer that broke the protocol has to take its close frame.</summary>
    private static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);

    /// <summary>Serves a connection until it ends; what ends it is logged, never thrown.</summary>
    public async Task RunAsync(Connection connection, PipeReader input)
    {
        var client = new Client(connection, options, time);
        connections.Add(connection);
        try
        {
            await ReceiveAsync(client, input);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // A peer that goes without saying so is an expected end.
            LogGone(connection.IdText, exception.Message);
        }
        catch (Exception exception)
        {
            // A defect of ours must end this connection alone, and must be seen.
            LogFailed(exception, connection.IdText);
            await connection.Outbound.CloseAsync(CloseReason.InternalError, CloseGrace);
        }
        finally
        {
            connection.Finish();
            await GiveBackAsync(client);
            await connection.Outbound.DisposeAsync();
        }
    }

    private async Task ReceiveAsync(Client client, PipeReader input)
    {
        using var reader = new FrameReader(ReceiveOptions.MaxFirstFrameBytes, ReceiveOptions.MaxBinaryFrameBytes, client.Connection.Deflates);
        while (true)
        {
            var received = await input.ReadAsync();
            if (received.Buffer.IsEmpty && received.IsCompleted)
            {
                return;
            }

            client.Connection.Heard();
            await HandleAsync(client, reader, received.Buffer);
            input.AdvanceTo(received.Buffer.End);
            if (client.Connection.PeerClosed is { } reason)
            {
                await client.Connection.Outbound.CloseAsync(reason, CloseGrace);
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
            // The transport's own buffers, lent to us until we go on: frames are unmasked where they lie.
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

    private ValueTask Handle(Client client, FrameReader reader, WireEvent frame, out bool isMore)
    {
        var connection = client.Connection;
        isMore = frame.Kind != WireEventKind.None;
        switch (frame.Kind)
        {
            case WireEventKind.Close:
                connection.PeerClosed = frame.Reason == CloseReason.None ? CloseReason.Normal : frame.Reason;
                return ValueTask.CompletedTask;
            case WireEventKind.Violation:
                // Where frames begin is unknown from here on: the rest of the stream is not looked at.
                client.IsBroken = true;
                connection.PeerClosed = connection.Caller is null && frame.Reason == CloseReason.TooBig ? CloseReason.BadFirstFrame : frame.Reason;
                return ValueTask.CompletedTask;
            case WireEventKind.Ping:
                SendPong(connection, frame.Payload);
                return ValueTask.CompletedTask;
            case WireEventKind.Text when !connection.IsClosing:
                return connection.Caller is null ? AdmitAsync(client, reader, frame.Payload.ToArray()) : requests.HandleAsync(client, frame.Payload);
            case WireEventKind.Binary when connection.Caller is null:
                connection.Close(CloseReason.BadFirstFrame);
                return ValueTask.CompletedTask;
            case WireEventKind.Binary when !connection.IsClosing:
                return files.ReceiveAsync(client, frame.Payload, frame.EndOfMessage);
            default:
                return ValueTask.CompletedTask;
        }
    }

    /// <summary>
    /// Reads what still comes and looks at none of it: to end a connection with input unread makes the kernel reset it, and the close frame may be lost.
    /// </summary>
    private async Task LingerAsync(PipeReader input)
    {
        using var enough = new CancellationTokenSource(LingerTime, time);
        while (await input.ReadAsync(enough.Token) is { IsCompleted: false, Buffer: var more })
        {
            input.AdvanceTo(more.End);
        }
    }

    private async ValueTask AdmitAsync(Client client, FrameReader reader, byte[] text)
    {
        if (await admission.AdmitAsync(client, text))
        {
            reader.MaxTextBytes = options.MaxMessageBytes;
        }
    }

    private static void SendPong(Connection connection, ReadOnlySpan<byte> data)
    {
        Span<byte> pong = stackalloc byte[FrameReader.MaxControlBytes + 2];
        connection.Send(pong[..FrameWriter.Write(pong, Opcode.Pong, data)]);
    }

    private async Task GiveBackAsync(Client client)
    {
        foreach (var member in client.Rooms.Values)
        {
            rooms.Leave(member, null);
        }

        connections.Remove(client.Connection);
        await FileRequests.LeaveAsync(client);
        if (client.HearsUser)
        {
            users.Leave(client.Connection.Caller!.UserId);
        }

        if (client.Watch is { } watch && await watch)
        {
            sessions.Leave(client.Connection.Caller!.Session);
        }
    }

    [LoggerMessage(600, LogLevel.Debug, "Connection {Connection} went away: {Why}")]
    private partial void LogGone(string connection, string why);

    [LoggerMessage(601, LogLevel.Error, "Connection {Connection} failed for a reason that lies here.")]
    private partial void LogFailed(Exception exception, string connection);
}
