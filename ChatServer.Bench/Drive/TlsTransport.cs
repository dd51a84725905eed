using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;

namespace ChatServer.Bench.Drive;

/// <summary>
/// TLS: one asynchronous read and at most one write under way for each connection; what they bring is handled by the thread of <see
/// cref="Turn"/>.
/// </summary>
internal sealed class TlsTransport(int connections) : ITransport
{
    private const int BufferBytes = 16 * 1024;
    private const int EventsInATurn = 256;

    private readonly Link?[] _links = new Link?[connections];
    private readonly BlockingCollection<(Link Link, bool IsRead)> _done = [];

    public void Open(Connection connection, int port, IReceiver receiver)
    {
        var socket = Sockets.Connect(connection.Index, port);

        // Made by this program for this run: whose it is needs no proof.
        var stream = new SslStream(
            new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
        stream.AuthenticateAsClient("localhost");
        var link = new Link(connection, stream, receiver);
        _links[connection.Index] = link;
        _ = ReadAsync(link);
    }

    public void Flush(Connection connection)
    {
        if (_links[connection.Index] is not { IsWriting: false } link || connection.Out.IsEmpty)
        {
            return;
        }

        link.IsWriting = true;

        // A copy, as more may be put behind these bytes meanwhile.
        var bytes = connection.Out.Waiting.ToArray();
        connection.Out.Take(bytes.Length);
        _ = WriteAsync(link, bytes);
    }

    public void Turn(long nanoseconds)
    {
        var wait = TimeSpan.FromTicks(nanoseconds / 100);
        for (var count = 0; count < EventsInATurn && _done.TryTake(out var done, wait); count++)
        {
            wait = TimeSpan.Zero;
            if (_links[done.Link.Connection.Index] is null)
            {
                continue;
            }

            if (done.Link.Failure is { } failure)
            {
                End(done.Link, failure);
            }
            else if (done.IsRead)
            {
                TakeRead(done.Link);
            }
            else
            {
                done.Link.IsWriting = false;
                Flush(done.Link.Connection);
            }
        }
    }

    public void Close(Connection connection)
    {
        _links[connection.Index]?.Stream.Dispose();
        _links[connection.Index] = null;
    }

    public void Dispose()
    {
        // Reads under way end now, and have nobody to tell.
        _done.CompleteAdding();
        foreach (var link in _links)
        {
            link?.Stream.Dispose();
        }
    }

    private async Task ReadAsync(Link link)
    {
        try
        {
            link.Count = await link.Stream.ReadAsync(link.Buffer);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            link.Failure = exception.Message;
        }

        Tell(link, isRead: true);
    }

    private async Task WriteAsync(Link link, byte[] bytes)
    {
        try
        {
            await link.Stream.WriteAsync(bytes);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            link.Failure = exception.Message;
        }

        Tell(link, isRead: false);
    }

    private void Tell(Link link, bool isRead)
    {
        if (!_done.IsAddingCompleted)
        {
            _done.Add((link, isRead));
        }
    }

    private void TakeRead(Link link)
    {
        if (link.Count == 0)
        {
            End(link, "closed by the server");
            return;
        }

        link.Receiver.Received(link.Connection, link.Buffer.AsSpan(0, link.Count));
        if (_links[link.Connection.Index] is not null)
        {
            _ = ReadAsync(link);
        }
    }

    private void End(Link link, string why)
    {
        Close(link.Connection);
        link.Receiver.Ended(link.Connection, why);
    }

    private sealed class Link(Connection connection, SslStream stream, IReceiver receiver)
    {
        public Connection Connection => connection;

        public SslStream Stream => stream;

        public IReceiver Receiver => receiver;

        public byte[] Buffer { get; } = new byte[BufferBytes];

        /// <summary>Bytes of the last read.</summary>
        public int Count { get; set; }

        /// <summary>Why the connection is broken.</summary>
        public string? Failure { get; set; }

        public bool IsWriting { get; set; }
    }
}
