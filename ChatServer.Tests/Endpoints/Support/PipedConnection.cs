using System.IO.Pipelines;
using System.Text;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Connections;

namespace ChatServer.Tests.Endpoints.Support;

/// <summary>Kestrel's side of a connection without a socket: the test is the peer.</summary>
internal sealed class PipedConnection : IAsyncDisposable
{
    private readonly Pipe _toServer = new();
    private readonly Pipe _toPeer = new();

    public PipedConnection() => Context = new DefaultConnectionContext("test", new Way(_toServer.Reader, _toPeer.Writer), new Way(
        _toPeer.Reader, _toServer.Writer));

    public DefaultConnectionContext Context { get; }

    public async Task SendAsync(string text) =>
        await _toServer.Writer.WriteAsync(Encoding.ASCII.GetBytes(text)).AsTask().WaitAsync(ChatPeer.Patience);

    /// <summary>The peer hangs up.</summary>
    public ValueTask HangUpAsync() => _toServer.Writer.CompleteAsync();

    /// <summary>The connection breaks.</summary>
    public ValueTask BreakAsync(Exception why) => _toServer.Writer.CompleteAsync(why);

    /// <summary>What the server has not read yet.</summary>
    public string Unread() => _toServer.Reader.TryRead(out var read) ? Encoding.ASCII.GetString(read.Buffer) : "";

    /// <summary>What comes next from the server.</summary>
    public async Task<string> ReceiveAsync()
    {
        var read = await _toPeer.Reader.ReadAsync().AsTask().WaitAsync(ChatPeer.Patience);
        var text = Encoding.ASCII.GetString(read.Buffer);
        _toPeer.Reader.AdvanceTo(read.Buffer.End);
        return text;
    }

    public ValueTask DisposeAsync() => Context.DisposeAsync();

    private sealed record Way(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
