using ChatServer.Tests.Embedded.Demo.Support;
using ChatServer.Tests.Support;
using Microsoft.Playwright;

namespace ChatServer.Tests.Embedded.Demo;

/// <summary>Makes docs/demo.png, the picture in README.md. Run it with <c>docs/make-screenshot.sh</c>.</summary>
[Collection(ChromiumTests.Name)]
public sealed class ScreenshotTests(ChromiumFixture chromium) : DemoPageTest(chromium)
{
    /// <summary>The picture that one of the two people sends: a drawing of three gear wheels.</summary>
    private const string Drawing = """
        <style>body { margin: 0; background: #173b5e }</style>
        <svg width="440" height="112" viewBox="30 20 380 160" xmlns="http://www.w3.org/2000/svg" stroke="#dce9f5" fill="none">
          <g stroke-width="3">
            <circle cx="110" cy="98" r="55"/><circle cx="110" cy="98" r="12"/><path d="M110 86V43M120 104l38 22M100 104l-38 22"/>
            <circle cx="226" cy="70" r="37"/><circle cx="226" cy="70" r="9"/><path d="M235 70h28M221 78l-14 24M221 62l-14-24"/>
            <circle cx="334" cy="108" r="49"/><circle cx="334" cy="108" r="11"/><path d="M334 119v38M324 102l-32-19M344 102l32-19"/>
          </g>
          <g stroke-width="13" stroke-dasharray="9.6 9.6">
            <circle cx="110" cy="98" r="64"/><circle cx="226" cy="70" r="46"/><circle cx="334" cy="108" r="58"/>
          </g>
        </svg>
        """;

    [Fact(Explicit = true)]
    public async Task Two_people_talk_and_send_a_picture_and_a_file()
    {
        var ada = await EnterAsync("Ada", 1280, 800);
        var grace = await EnterAsync("Grace", 1280, 800);

        await SayAndWaitAsync(ada, "Grace, do you have the new drawing of the gear wheels?");
        await ShowsAsync(grace.GetByTestId("message").Last, "gear wheels");
        await SendAsync(grace, new() { Name = "gear-wheels.png", MimeType = "image/png", Buffer = await DrawAsync() });
        await SayAndWaitAsync(grace, "Here it is. Alan checked the sizes this morning.");
        await ShowsAsync(ada.GetByTestId("message").Last, "Alan checked");
        await SendAsync(ada, new() { Name = "order-list.pdf", MimeType = "application/pdf", Buffer = new byte[184_320] });
        await SayAndWaitAsync(ada, "Thank you! I order the parts today, the list is above.");
        await grace.GetByTestId("room").Nth(1).ClickAsync();
        await SayAndWaitAsync(grace, "Fresh coffee is ready.");

        await Assertions.Expect(ada.GetByTestId("unread")).ToHaveTextAsync("1 unread");
        await Assertions.Expect(ada.GetByTestId("picture")).ToHaveJSPropertyAsync("complete", true);
        await ada.ScreenshotAsync(new() { Path = Repository.PathOf("docs", "demo.png"), Animations = ScreenshotAnimations.Disabled });
    }

    private async Task<IPage> EnterAsync(string name, int width, int height)
    {
        var page = await OpenAsync($"/?name={name}", new() { Locale = "en-GB", ViewportSize = new() { Width = width, Height = height } });
        await ShowsAsync(page.GetByTestId("status"), "Connected");
        await page.GetByTestId("message").First.WaitForAsync();
        return page;
    }

    private async Task<byte[]> DrawAsync()
    {
        var page = await OpenAsync("/icon.svg", new() { ViewportSize = new() { Width = 440, Height = 112 } });
        await page.GotoAsync("about:blank");
        await page.SetContentAsync(Drawing);
        return await page.ScreenshotAsync();
    }

    private static async Task SayAndWaitAsync(IPage page, string text)
    {
        await SayAsync(page, text);
        await IsSavedAsync(page, text);
    }

    private static async Task SendAsync(IPage page, FilePayload file)
    {
        await page.GetByTestId("file-input").SetInputFilesAsync(file);
        await IsSavedAsync(page, file.Name);
    }

    private static Task IsSavedAsync(IPage page, string text) =>
        Assertions.Expect(page.GetByTestId("message").Filter(new() { HasText = text })).ToHaveAttributeAsync("data-state", "saved");
}
