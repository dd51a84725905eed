using System.Text;

namespace ChatServer.Bench.Drive;

/// <summary>Told of what happens on a connection.</summary>
internal interface IListener
{
    /// <summary>A connection is in its room.</summary>
    void Ready(Connection connection);

    /// <summary>A connection has ended, or the server has said that something went wrong.</summary>
    void Failed(Connection connection, string why, bool hasEnded);

    /// <summary>A text frame came after the login.</summary>
    void Text(Connection connection, ReadOnlySpan<byte> text);

    /// <summary>All that came in one read has been told.</summary>
    void ReadDone();
}

/// <summary>
/// The client's side of all connections: upgrade, login, frames. What it has to say it puts into <see cref="Connection.Out"/>.
/// </summary>
/// <param name="deflate">Whether permessage-deflate is asked for, and must be had.</param>
internal sealed class Conversation(Dialect dialect, ITransport transport, IListener listener, bool deflate) : IReceiver
{
    private readonly Inflater _inflater = new();

    // The example key of RFC 6455 and what must come back for it.
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const int MaxHeaderBytes = 32 * 1024;

    public void Open(Connection connection, int port)
    {
        transport.Open(connection, port, this);
        connection.Out.Append(Encoding.ASCII.GetBytes(
            $"GET {dialect.Path(connection)} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\n"
            + $"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Key}\r\n"
            + (deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n" : "")
            + "\r\n"));
        transport.Flush(connection);
    }

    public void Received(Connection connection, ReadOnlySpan<byte> bytes)
    {
        if (connection.Rest.Length > 0)
        {
            bytes = (byte[])[.. connection.Rest, .. bytes];
        }

        try
        {
            if (connection.Stage != Stage.Upgrade || TryUpgrade(connection, ref bytes))
            {
                while (connection.Stage != Stage.Ended && FrameScanner.TryTake(ref bytes, out var frame))
                {
                    Take(connection, frame);
                }
            }

            connection.Rest = bytes.IsEmpty ? [] : bytes.ToArray();
            listener.ReadDone();
        }
        catch (InvalidDataException broken)
        {
            transport.Close(connection);
            Ended(connection, broken.Message);
        }
    }

    public void Ended(Connection connection, string why)
    {
        if (connection.Stage != Stage.Ended)
        {
            connection.Stage = Stage.Ended;
            listener.Failed(connection, why, hasEnded: true);
        }
    }

    private bool TryUpgrade(Connection connection, ref ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return bytes.Length <= MaxHeaderBytes ? false : throw new InvalidDataException("an answer to the upgrade without an end");
        }

        var answer = bytes[..end];
        if (!answer.StartsWith("HTTP/1.1 101"u8) || answer.IndexOf("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="u8) < 0)
        {
            throw new InvalidDataException($"no upgrade: {Encoding.ASCII.GetString(answer[..Math.Min(60, answer.Length)])}");
        }

        if (deflate != answer.IndexOf("permessage-deflate"u8) >= 0)
        {
            throw new InvalidDataException("permessage-deflate was not agreed on as it was asked for");
        }

        bytes = bytes[(end + 4)..];
        connection.Stage = Stage.Login;
        Begin(connection, 0);
        return true;
    }

    private void Begin(Connection connection, int step)
    {
        connection.Step = step;
        if (dialect.Opening(connection, step) is { } opening)
        {
            connection.Out.AppendFrame(Op.Text, opening);
            transport.Flush(connection);
        }
    }

    private void Take(Connection connection, ServerFrame frame)
    {
        switch (frame.Opcode)
        {
            case Op.Ping:
                connection.Out.AppendFrame(Op.Pong, frame.Payload);
                transport.Flush(connection);
                break;

            case Op.Pong:
                break;

            case Op.Close:
                var code = frame.Payload.Length >= 2 ? (frame.Payload[0] << 8) | frame.Payload[1] : 0;
                throw new InvalidDataException($"closed by the server with code {code}");

            case Op.Text when frame is { IsFinal: true, IsCompressed: true } && deflate:
                TakeText(connection, _inflater.Inflate(connection.Room, frame.Payload));
                break;

            case Op.Text or Op.Continuation when frame is { IsFinal: true, IsCompressed: false } && connection.Fragments is null:
                TakeText(connection, frame.Payload);
                break;

            case Op.Text or Op.Continuation when !frame.IsCompressed:
                TakeFragment(connection, frame);
                break;

            default:
                throw new InvalidDataException($"a frame with opcode {frame.Opcode}");
        }
    }

    private void TakeFragment(Connection connection, ServerFrame frame)
    {
        var fragments = connection.Fragments ??= [];
        fragments.AddRange(frame.Payload);
        if (frame.IsFinal)
        {
            connection.Fragments = null;
            TakeText(connection, fragments.ToArray());
        }
    }

    private void TakeText(Connection connection, ReadOnlySpan<byte> text)
    {
        if (connection.Stage == Stage.Ready)
        {
            listener.Text(connection, text);
        }
        else if (dialect.Ends(connection.Step, text))
        {
            if (connection.Step + 1 < dialect.Steps)
            {
                Begin(connection, connection.Step + 1);
            }
            else
            {
                connection.Stage = Stage.Ready;
                connection.Out.Release();
                listener.Ready(connection);
            }
        }
        else if (dialect.Read(text) == Reply.Error)
        {
            throw new InvalidDataException($"no login: {Encoding.UTF8.GetString(text[..Math.Min(200, text.Length)])}");
        }
    }
}
