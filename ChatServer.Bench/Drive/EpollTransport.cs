using System.Net.Sockets;

namespace ChatServer.Bench.Drive;

/// <summary>Plain TCP: non-blocking sockets, one thread, one big buffer to read into.</summary>
internal sealed class EpollTransport(int connections) : ITransport
{
    private const int BufferBytes = 512 * 1024;
    private const int ReadsInARow = 8;

    private readonly Epoll _epoll = new();
    private readonly Link?[] _links = new Link?[connections];
    private readonly byte[] _buffer = new byte[BufferBytes];

    public void Open(Connection connection, int port, IReceiver receiver)
    {
        var socket = Sockets.Connect(connection.Index, port);
        socket.Blocking = false;
        _links[connection.Index] = new(connection, socket, receiver);
        _epoll.Watch(socket.Handle, connection.Index, Epoll.In);
    }

    public void Flush(Connection connection)
    {
        if (_links[connection.Index] is not { } link)
        {
            return;
        }

        var output = connection.Out;
        while (!output.IsEmpty)
        {
            var sent = link.Socket.Send(output.Waiting, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                break;
            }

            if (error != SocketError.Success)
            {
                End(link, $"send: {error}");
                return;
            }

            output.Take(sent);
        }

        WatchOutput(link, !output.IsEmpty);
    }

    public void Turn(long nanoseconds)
    {
        var count = _epoll.Wait(nanoseconds);
        for (var index = 0; index < count; index++)
        {
            var (tag, events) = _epoll[index];
            if (_links[tag] is not { } link)
            {
                continue;
            }

            if ((events & Epoll.Out) != 0)
            {
                Flush(link.Connection);
            }

            if ((events & ~Epoll.Out) != 0)
            {
                Read(link);
            }
        }
    }

    public void Close(Connection connection)
    {
        if (_links[connection.Index] is { } link)
        {
            _links[connection.Index] = null;
            link.Socket.Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var link in _links)
        {
            link?.Socket.Dispose();
        }

        _epoll.Dispose();
    }

    private void Read(Link link)
    {
        for (var round = 0; round < ReadsInARow && _links[link.Connection.Index] is not null; round++)
        {
            var count = link.Socket.Receive(_buffer, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return;
            }

            if (error != SocketError.Success || count == 0)
            {
                End(link, error == SocketError.Success ? "closed by the server" : $"receive: {error}");
                return;
            }

            link.Receiver.Received(link.Connection, _buffer.AsSpan(0, count));
            if (count < BufferBytes)
            {
                return;
            }
        }
    }

    private void WatchOutput(Link link, bool watch)
    {
        if (link.WatchesOutput != watch)
        {
            link.WatchesOutput = watch;
            _epoll.Change(link.Socket.Handle, link.Connection.Index, watch ? Epoll.In | Epoll.Out : Epoll.In);
        }
    }

    private void End(Link link, string why)
    {
        Close(link.Connection);
        link.Receiver.Ended(link.Connection, why);
    }

    private sealed class Link(Connection connection, Socket socket, IReceiver receiver)
    {
        public Connection Connection => connection;

        public Socket Socket => socket;

        public IReceiver Receiver => receiver;

        public bool WatchesOutput { get; set; }
    }
}
