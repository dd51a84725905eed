using System.Text;
using ChatServer.Connections;
using ChatServer.Endpoints;
using ChatServer.Protocol;
using ChatServer.Sessions;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.Embedded.Demo.Support;

/// <summary>The service itself with its demo, behind a line that can be taken away.</summary>
internal sealed class DemoChat : IAsyncDisposable
{
    private readonly TestNode _node;
    private readonly TcpProxy _line;

    private DemoChat(TestNode node) => (_node, _line) = (node, new TcpProxy(node.Port));

    public Uri Url => new($"http://localhost:{_line.Port}/");

    public static async Task<DemoChat> StartAsync() => new(await TestNode.StartAsync("Development", ListenMode.Ws));

    /// <summary>Cuts every connection without a close frame and lets no new one through.</summary>
    public void TakeLineAway()
    {
        _line.Refuses = true;
        _line.Cut();
    }

    /// <summary>Lets some 3 MB a second through, until the line is given back.</summary>
    public void SlowDown() => _line.Delay = TimeSpan.FromMilliseconds(5);

    public void GiveLineBack() => _line.Resume();

    public void CloseAll(CloseReason reason) => _node.Services.GetRequiredService<ConnectionRegistry>().CloseAll(reason);

    /// <summary>Whether the session behind a browser's token is alive.</summary>
    public async Task<bool> KnowsAsync(string token)
    {
        TokenDecoder.TryDecode(Encoding.ASCII.GetBytes(token), out var key).Should().BeTrue();
        return await _node.Services.GetRequiredService<ISessionStore>().FindAsync(key!, CancellationToken.None) is not null;
    }

    public async ValueTask DisposeAsync()
    {
        await _line.DisposeAsync();
        await _node.DisposeAsync();
    }
}
