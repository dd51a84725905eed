using System.Text.Json;
using Microsoft.Playwright;

namespace ChatServer.Tests.Embedded.Demo.Support;

/// <summary>The browser client in a real browser, against a server that the test plays.</summary>
public abstract class ChatClientTest(ChromiumFixture chromium) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private IBrowserContext _context = null!;

    private protected ScriptedChat Chat { get; private set; } = null!;

    private protected IPage Page { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Chat = await ScriptedChat.StartAsync();
        _context = await chromium.NewContextAsync();
        Page = await _context.NewPageAsync();
        await Page.GotoAsync(new Uri(Chat.Url, "/blank").ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync().WaitAsync(TimeSpan.FromSeconds(20));
        await Chat.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes `client` with these options, connects it, and writes its events down in `log`.</summary>
    private protected async Task StartClientAsync(string options) => await EvaluateAsync($$"""
        async () => {
          const { ChatClient } = await import('/chat-client.js');
          globalThis.calls = 0;
          globalThis.log = { message: [], delivery: [], joined: [], reload: [], ended: [], status: [], wait: [] };
          globalThis.client = new ChatClient({ token: 'T', backoffBase: 100, {{options}} });
          client.on('message', (m) => log.message.push(String(m.seq)));
          client.on('delivery', (m) => log.delivery.push(m.state));
          client.on('joined', (f) => log.joined.push(String(f.room_id)));
          client.on('reload', (r) => log.reload.push(String(r.room_id)));
          client.on('ended', (e) => log.ended.push(`${e.code} ${e.reason}`));
          client.on('status', (s) => {
            log.status.push([s.state, s.code, s.reason].filter((part) => part !== undefined).join(' '));
            if (s.state === 'waiting') log.wait.push(s.retryAt - Date.now());
          });
          client.connect();
        }
        """);

    /// <summary>Runs a script in the page; a promise that it gives is awaited, for 10 seconds.</summary>
    private protected async Task EvaluateAsync(string script) => await Page.EvaluateAsync(script).WaitAsync(Patience);

    private protected Task<T> EvaluateAsync<T>(string script) => Page.EvaluateAsync<T>(script).WaitAsync(Patience);

    private protected async Task<string[]> LogAsync(string name) => await EvaluateAsync<string[]>($"log.{name}");

    private protected async Task<(long Since, string Epoch)> PositionAsync()
    {
        var position = await EvaluateAsync<JsonElement>("client.positions()[0]");
        return (position.GetProperty("since").GetInt64(), position.GetProperty("epoch").GetString()!);
    }
}
