using ChatServer.Connections;
using ChatServer.Endpoints;
using ChatServer.Protocol;
using ChatServer.Tests.Embedded.Demo.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace ChatServer.Tests.EndToEnd;

/// <summary>
/// The service as people meet it: its own page in Chromium, and a page of somebody else that has nothing but the native WebSocket.
/// </summary>
[Collection(ChromiumTests.Name)]
public sealed class BrowserTests(ChromiumFixture chromium)
{
    [Fact]
    public async Task Two_people_chat_on_the_demo_page_and_both_see_what_becomes_of_a_message()
    {
        await using var node = await TestNode.StartAsync("Development", ListenMode.Ws);
        await using var first = await chromium.NewContextAsync();
        await using var second = await chromium.NewContextAsync(
            new() { ViewportSize = new() { Width = 375, Height = 740 }, Locale = "en-GB" });
        var ada = await EnterAsync(first, node, "Ada");
        var zoe = await EnterAsync(second, node, "Zoe");

        // On a phone the rooms are a page of their own.
        await zoe.GetByTestId("room").First.ClickAsync();

        await SayAsync(ada, "hello Zoe 👋");
        await Assertions.Expect(zoe.GetByTestId("message").Last.GetByTestId("body")).ToHaveTextAsync("hello Zoe 👋");
        await Assertions.Expect(zoe.GetByTestId("message").Last.GetByTestId("author")).ToHaveTextAsync("Ada");
        await SayAsync(zoe, "hello Ada");
        await Assertions.Expect(ada.GetByTestId("message").Last.GetByTestId("body")).ToHaveTextAsync("hello Ada");

        await Assertions.Expect(ada.Locator("[data-testid=message][data-own]")).ToHaveAttributeAsync("data-state", "saved");
        await Assertions.Expect(zoe.Locator("[data-testid=message][data-own]")).ToHaveAttributeAsync("data-state", "saved");
        await ShotAsync(ada, "desktop");
        await ShotAsync(zoe, "phone");
    }

    [Fact]
    public async Task A_browser_that_compresses_says_and_hears_the_same()
    {
        await using var node = await TestNode.StartAsync("Development", ListenMode.Ws, ("CHAT_PERMESSAGE_DEFLATE", "true"));
        await using var first = await chromium.NewContextAsync();
        await using var second = await chromium.NewContextAsync();
        await first.AddInitScriptAsync(
            "window.sockets = []; window.WebSocket = class extends WebSocket { constructor(...all) { super(...all); window.sockets.push(this); } };");
        var ada = await EnterAsync(first, node, "Ada");
        var zoe = await EnterAsync(second, node, "Zoe");
        (await ada.EvaluateAsync<string>("window.sockets[0].extensions")).Should().StartWith("permessage-deflate");

        var text = string.Concat(Enumerable.Repeat("hello Zoe 👋 ", 50)).Trim();
        await SayAsync(ada, text);
        await Assertions.Expect(zoe.GetByTestId("message").Last.GetByTestId("body")).ToHaveTextAsync(text);
        await SayAsync(zoe, text + "!");
        await Assertions.Expect(ada.GetByTestId("message").Last.GetByTestId("body")).ToHaveTextAsync(text + "!");
    }

    [Fact]
    public async Task A_page_that_was_cut_off_comes_back_by_itself_with_everything_in_order()
    {
        var port = FreePort.Next();
        await using var context = await chromium.NewContextAsync();
        IPage ada;
        await using (var node = await TestNode.StartAsync("Development", ListenMode.Ws, ("WS_PORT", $"{port}")))
        {
            ada = await EnterAsync(context, node, "Ada");
            await context.SetOfflineAsync(true);
            node.Services.GetRequiredService<ConnectionRegistry>().CloseAll(CloseReason.Restart);

            await SayAsync(ada, "written offline, first");
            await SayAsync(ada, "written offline, second");
            await Assertions.Expect(ada.Locator("[data-testid=message][data-own]").First).ToHaveAttributeAsync("data-state", "sending");
            await context.SetOfflineAsync(false);

            await Assertions.Expect(ada.Locator("[data-testid=message][data-own][data-state=saved]"))
                .ToHaveCountAsync(2, new() { Timeout = 30_000 });
            await Assertions.Expect(ada.Locator("[data-testid=message][data-own] [data-testid=body]")).ToHaveTextAsync(
                ["written offline, first", "written offline, second"]);
        }
    }

    [Fact]
    public async Task A_native_websocket_chats_over_wss_with_the_development_certificate()
    {
        var folder = Directory.CreateTempSubdirectory("certs-");
        try
        {
            var script = Path.Combine(folder.FullName, "make-dev-cert.sh");
            File.Copy(Repository.PathOf("certs", "make-dev-cert.sh"), script);
            (await BoundedProcess.RunAsync(["bash", script], folder.FullName, TimeSpan.FromSeconds(60))).ExitCode.Should().Be(0);
            await using var node = await TestNode.StartAsync(
                "Development", ListenMode.Both,
                ("CERT_FILE", Path.Combine(folder.FullName, "dev-cert.pem")), ("KEY_FILE", Path.Combine(folder.FullName, "dev-key.pem")));
            await using var context = await chromium.NewContextAsync(new() { IgnoreHTTPSErrors = true });
            var page = await context.NewPageAsync();
            await page.GotoAsync($"https://localhost:{node.TlsPort}/");

            var frames = await page.EvaluateAsync<string[]>(
                """
                async url => {
                  const login = await (await fetch('/demo/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"Native"}' })).json();
                  return await new Promise((resolve, reject) => {
                    const seen = [];
                    const socket = new WebSocket(url);
                    socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token: login.token, rooms: [{ room_id: login.rooms[0].id }] }));
                    socket.onmessage = event => {
                      const frame = JSON.parse(event.data);
                      seen.push(frame.type);
                      if (frame.type === 'joined') socket.send(JSON.stringify({ type: 'chat', room_id: frame.room_id, identifier: 'n1', body: 'over wss' }));
                      if (frame.type === 'info_chat') resolve(seen);
                    };
                    socket.onclose = event => reject(new Error(`closed ${event.code}`));
                    setTimeout(() => reject(new Error(`only ${seen}`)), 9000);
                  });
                }
                """,
                node.TlsUrl.ToString());

            frames.Should().StartWith(["auth", "joined", "ack"]).And.EndWith("info_chat");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<IPage> EnterAsync(IBrowserContext context, TestNode node, string name)
    {
        var page = await context.NewPageAsync();
        await page.GotoAsync($"http://localhost:{node.Port}/?name={name}");
        await Assertions.Expect(page.GetByTestId("status")).ToHaveTextAsync("Connected");
        return page;
    }

    private static async Task SayAsync(IPage page, string text)
    {
        await page.GetByTestId("body-input").FillAsync(text);
        await page.GetByTestId("body-input").PressAsync("Enter");
    }

    /// <summary>A picture to look at, if somebody asks for it.</summary>
    private static async Task ShotAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("CHAT_TEST_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
        }
    }
}
