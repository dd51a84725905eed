using System.Security.Cryptography;
using ChatServer.Tests.Embedded.Demo.Support;
using Microsoft.Playwright;

namespace ChatServer.Tests.Embedded.Demo;

[Collection(ChromiumTests.Name)]
public sealed class DemoPageFileTests(ChromiumFixture chromium) : DemoPageTest(chromium)
{
    /// <summary>One red pixel.</summary>
    private static readonly byte[] Picture = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==");

    [Fact]
    public async Task A_file_is_chosen_and_somebody_else_loads_it_under_its_name()
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");
        var content = RandomNumberGenerator.GetBytes(700_000);

        var chooser = await ada.RunAndWaitForFileChooserAsync(() => ada.GetByTestId("attach").ClickAsync());
        await chooser.SetFilesAsync(new FilePayload { Name = "Überblick 表.pdf", MimeType = "application/pdf", Buffer = content });

        await Assertions.Expect(ada.GetByTestId("message").Last).ToHaveAttributeAsync("data-state", "saved");
        var received = zoe.GetByTestId("message").Last;
        await ShowsAsync(received.GetByTestId("file-name"), "Überblick 表.pdf");
        await ShowsAsync(received.GetByTestId("author"), "Ada");
        await ShowsAsync(zoe.GetByTestId("room").First, "📎 Überblick 表.pdf");
        var download = await zoe.RunAndWaitForDownloadAsync(() => received.GetByTestId("file-link").ClickAsync());
        download.SuggestedFilename.Should().Be("Überblick 表.pdf");
        (await File.ReadAllBytesAsync(await download.PathAsync())).Should().Equal(content);
    }

    [Fact]
    public async Task A_picture_is_shown_to_both_and_still_after_a_reload()
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");

        await ChooseAsync(ada, "dot.png", "image/png", Picture);

        foreach (var page in new[] { ada, zoe })
        {
            await IsPictureAsync(page.GetByTestId("message").Last);
        }

        await Assertions.Expect(ada.GetByTestId("message").Last).ToHaveAttributeAsync("data-state", "saved");
        await zoe.ReloadAsync();
        await Assertions.Expect(zoe.GetByTestId("message")).ToHaveCountAsync(3);
        await IsPictureAsync(zoe.GetByTestId("message").Last);
    }

    [Theory]
    [InlineData("drop")]
    [InlineData("paste")]
    public async Task A_file_that_is_dropped_or_pasted_is_sent(string way)
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");

        await ada.EvaluateAsync(
            """
            (way) => {
              const data = new DataTransfer();
              data.items.add(new File(['hello'], 'note.txt', { type: 'text/plain' }));
              const target = document.querySelector(way === 'drop' ? '.log' : 'textarea');
              if (way === 'drop') {
                target.dispatchEvent(new DragEvent('dragenter', { dataTransfer: data, bubbles: true }));
                if (!document.querySelector('.room.dropping')) throw new Error('no hint');
                target.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
              } else target.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
            }
            """, way);

        await ShowsAsync(zoe.GetByTestId("message").Last.GetByTestId("file-name"), "note.txt");
        await Assertions.Expect(ada.Locator(".dropping")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task While_a_file_is_under_way_its_progress_shows_messages_pass_and_it_can_be_cancelled()
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");
        Chat.SlowDown();
        await ChooseAsync(ada, "large.bin", "application/octet-stream", new byte[20_000_000]);
        var sending = ada.GetByTestId("message").Last;
        await Assertions.Expect(sending).ToHaveAttributeAsync("data-state", "sending");
        await Assertions.Expect(ada.GetByTestId("progress")).Not.ToHaveJSPropertyAsync("value", 0);

        await SayAsync(ada, "meanwhile");
        await ShowsAsync(zoe.GetByTestId("message").Last.GetByTestId("body"), "meanwhile");
        await ada.GetByTestId("cancel").ClickAsync();

        await Assertions.Expect(ada.GetByTestId("file")).ToHaveCountAsync(0);
        await Assertions.Expect(ada.GetByTestId("message")).ToHaveCountAsync(3);
        await Assertions.Expect(zoe.GetByTestId("file")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_file_that_is_too_large_says_so()
    {
        var ada = await EnterAsync("Ada");

        await ChooseAsync(ada, "large.bin", "application/octet-stream", new byte[(25 * 1024 * 1024) + 1]);

        await ShowsAsync(ada.GetByTestId("message").Last.GetByTestId("refusal"), "26214400");
    }

    [Fact]
    public async Task A_file_whose_line_is_cut_arrives_once_the_line_is_back()
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");
        Chat.SlowDown();
        await ChooseAsync(ada, "large.bin", "application/octet-stream", new byte[5_000_000]);
        await Assertions.Expect(ada.GetByTestId("progress")).Not.ToHaveJSPropertyAsync("value", 0);
        Chat.TakeLineAway();
        await ShowsAsync(ada.GetByTestId("banner"), "Connection lost");

        Chat.GiveLineBack();

        await Assertions.Expect(ada.GetByTestId("message").Last).ToHaveAttributeAsync("data-state", "saved", new() { Timeout = 20_000 });
        await Assertions.Expect(zoe.GetByTestId("file")).ToHaveCountAsync(1, new() { Timeout = 20_000 });
    }

    private static Task ChooseAsync(IPage page, string name, string type, byte[] content) =>
        page.GetByTestId("file-input").SetInputFilesAsync(new FilePayload { Name = name, MimeType = type, Buffer = content });

    private static Task IsPictureAsync(ILocator message) =>
        Assertions.Expect(message.GetByTestId("picture")).ToHaveJSPropertyAsync("naturalWidth", 1);
}
