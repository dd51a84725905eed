using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace ChatServer.Tests.Embedded.Demo.Support;

/// <summary>The demo page as people use it, in a real browser.</summary>
public abstract class DemoPageTest(ChromiumFixture chromium) : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _complaints = [];
    private readonly List<IBrowserContext> _contexts = [];

    private protected DemoChat Chat { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Chat = await DemoChat.StartAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var context in _contexts)
        {
            await context.CloseAsync().WaitAsync(TimeSpan.FromSeconds(20));
        }

        await Chat.DisposeAsync();
        _complaints.Should().BeEmpty("no script fails, and the page keeps its own content security policy");
        GC.SuppressFinalize(this);
    }

    private protected async Task<IPage> EnterAsync(string name)
    {
        var page = await OpenAsync($"/?name={name}");
        await ShowsAsync(page.GetByTestId("status"), "Connected");
        await page.GetByTestId("message").First.WaitForAsync();
        return page;
    }

    private protected async Task<IPage> OpenAsync(string path, BrowserNewContextOptions? options = null)
    {
        var context = await chromium.NewContextAsync(options);
        _contexts.Add(context);
        var page = await context.NewPageAsync();
        page.PageError += (_, error) => _complaints.Enqueue(error);
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.Ordinal))
            {
                _complaints.Enqueue(message.Text);
            }
        };
        await page.GotoAsync(new Uri(Chat.Url, path).ToString());
        return page;
    }

    private protected static async Task SayAsync(IPage page, string text)
    {
        await page.GetByTestId("body-input").FillAsync(text);
        await page.GetByTestId("body-input").PressAsync("Enter");
    }

    private protected static Task ShowsAsync(ILocator locator, string text) => Assertions.Expect(locator).ToContainTextAsync(text);

    private protected static async Task FitsAsync(IPage page) =>
        (await page.EvaluateAsync<int>("document.documentElement.scrollWidth")).Should().BeLessThanOrEqualTo(375);
}
