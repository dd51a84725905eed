using ChatServer.Protocol;
using ChatServer.Tests.Embedded.Demo.Support;
using Microsoft.Playwright;

namespace ChatServer.Tests.Embedded.Demo;

[Collection(ChromiumTests.Name)]
public sealed class DemoPageTests(ChromiumFixture chromium) : DemoPageTest(chromium)
{
    [Fact]
    public async Task Somebody_picks_a_ready_name_and_is_in()
    {
        var page = await OpenAsync("/");

        await page.GetByTestId("ready-name").Filter(new() { HasText = "Barbara" }).ClickAsync();

        await ShowsAsync(page.GetByTestId("status"), "Connected");
        await ShowsAsync(page.GetByTestId("me"), "Barbara");
        await Assertions.Expect(page.GetByTestId("room")).ToHaveCountAsync(3);
        await Assertions.Expect(page.GetByTestId("message")).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task A_name_that_does_not_do_is_refused_in_words()
    {
        var page = await OpenAsync("/");
        await page.GetByTestId("name").FillAsync("   ");

        await page.GetByTestId("enter").ClickAsync();

        await ShowsAsync(page.GetByTestId("sign-in-error"), "A name has 1 to 40 characters.");
    }

    [Fact]
    public async Task A_reload_stays_signed_in_and_signing_out_does_not()
    {
        var page = await OpenAsync("/?name=Zoe");
        await ShowsAsync(page.GetByTestId("status"), "Connected");

        await page.ReloadAsync();
        await ShowsAsync(page.GetByTestId("me"), "Zoe");
        var token = await page.EvaluateAsync<string>("JSON.parse(sessionStorage.getItem('chatserver-demo-session')).token");
        (await Chat.KnowsAsync(token)).Should().BeTrue();
        await page.GetByTestId("sign-out").ClickAsync();

        await Assertions.Expect(page.GetByTestId("sign-in")).ToBeVisibleAsync();
        (await Chat.KnowsAsync(token)).Should().BeFalse();
    }

    [Fact]
    public async Task Two_people_talk_and_the_sender_sees_it_saved()
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");

        await SayAsync(ada, "hello Zoe");

        var received = zoe.GetByTestId("message").Last;
        await ShowsAsync(received.GetByTestId("body"), "hello Zoe");
        await ShowsAsync(received.GetByTestId("author"), "Ada");
        await Assertions.Expect(ada.GetByTestId("message").Last).ToHaveAttributeAsync("data-state", "saved");
    }

    [Fact]
    public async Task A_second_tab_of_the_same_user_shows_the_same_once()
    {
        var one = await EnterAsync("Ada");
        var two = await EnterAsync("Ada");

        await SayAsync(one, "from the first tab");
        await SayAsync(two, "from the second tab");

        foreach (var page in new[] { one, two })
        {
            await Assertions.Expect(page.GetByTestId("body")).ToContainTextAsync(
                ["Welcome!", "one WebSocket", "from the first tab", "from the second tab"]);
            await Assertions.Expect(page.Locator("[data-testid=message][data-own][data-state=saved]")).ToHaveCountAsync(2);
        }
    }

    [Fact]
    public async Task Messages_of_another_room_are_counted_until_it_is_opened()
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");
        await zoe.GetByTestId("room").Nth(1).ClickAsync();
        await SayAsync(zoe, "one");
        await SayAsync(zoe, "two");

        var room = ada.GetByTestId("room").Nth(1);
        await Assertions.Expect(room.GetByTestId("unread")).ToHaveTextAsync("2 unread");
        await Assertions.Expect(ada).ToHaveTitleAsync("(2) General · Analytical Engines");
        await room.ClickAsync();

        await Assertions.Expect(room.GetByTestId("unread")).ToHaveCountAsync(0);
        await Assertions.Expect(ada.GetByTestId("message")).ToHaveCountAsync(2);
    }

    [Fact]
    public async Task Markup_in_a_message_stays_text()
    {
        var ada = await EnterAsync("Ada");
        const string Markup = "<img src=x onerror=\"document.title='gotcha'\"><b>bold</b>";

        await SayAsync(ada, Markup);

        await ShowsAsync(ada.GetByTestId("message").Last.GetByTestId("body"), Markup);
        await Assertions.Expect(ada.Locator(".messages img, .messages b")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Enter_sends_but_not_with_shift_nor_while_an_input_method_composes()
    {
        var ada = await EnterAsync("Ada");
        var field = ada.GetByTestId("body-input");
        await field.FillAsync("line 1");
        await field.PressAsync("Shift+Enter");
        await field.PressSequentiallyAsync("line 2");
        await field.EvaluateAsync("e => e.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }))");
        await Assertions.Expect(field).ToHaveValueAsync("line 1\nline 2");

        await field.PressAsync("Enter");

        await Assertions.Expect(field).ToHaveValueAsync("");
        await ShowsAsync(ada.GetByTestId("message").Last.GetByTestId("body"), "line 1\nline 2");
    }

    [Fact]
    public async Task A_message_that_quantum_refuses_says_why_and_can_be_sent_again()
    {
        var ada = await EnterAsync("Ada");
        await SayAsync(ada, new string('x', 4001));
        var last = ada.GetByTestId("message").Last;
        await Assertions.Expect(last.GetByTestId("refusal")).ToContainTextAsync("A message has at most 4,000 characters.");
        var identifier = await last.GetAttributeAsync("data-identifier");

        await last.GetByTestId("resend").ClickAsync();

        await Assertions.Expect(ada.GetByTestId("message").Last).Not.ToHaveAttributeAsync("data-identifier", identifier!);
        await Assertions.Expect(ada.GetByTestId("refusal")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task What_is_written_while_the_line_is_down_arrives_once_it_is_back()
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");
        Chat.TakeLineAway();
        await ShowsAsync(ada.GetByTestId("banner"), "Connection lost");
        await SayAsync(ada, "first");
        await SayAsync(ada, "second");
        await Assertions.Expect(ada.GetByTestId("message").Last).ToHaveAttributeAsync("data-state", "sending");

        Chat.GiveLineBack();

        await Assertions.Expect(ada.Locator("[data-testid=message][data-own][data-state=saved]"))
            .ToHaveCountAsync(2, new() { Timeout = 20_000 });
        await Assertions.Expect(zoe.GetByTestId("message")).ToHaveCountAsync(4, new() { Timeout = 20_000 });
        await ShowsAsync(zoe.GetByTestId("message").Last.GetByTestId("body"), "second");
        await Assertions.Expect(ada.GetByTestId("banner")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_session_that_ended_says_so_and_signs_in_again()
    {
        var ada = await EnterAsync("Ada");
        Chat.CloseAll(CloseReason.SessionEnded);
        await ShowsAsync(ada.GetByTestId("banner"), "This session has ended.");

        await ada.GetByTestId("banner-button").ClickAsync();

        await ShowsAsync(ada.GetByTestId("status"), "Connected");
    }

    [Fact]
    public async Task Who_reads_further_up_is_not_pulled_down()
    {
        var ada = await EnterAsync("Ada");
        var zoe = await EnterAsync("Zoe");
        await SayAsync(ada, string.Join('\n', Enumerable.Range(1, 80)));
        var log = ada.GetByTestId("log");
        await log.EvaluateAsync("e => { e.scrollTop = 0; }");
        await Assertions.Expect(ada.GetByTestId("jump")).ToBeVisibleAsync();

        await SayAsync(zoe, "news");

        await ShowsAsync(ada.GetByTestId("jump"), "1 new");
        (await log.EvaluateAsync<double>("e => e.scrollTop")).Should().Be(0);
        await ada.GetByTestId("jump").ClickAsync();
        await Assertions.Expect(ada.GetByTestId("message").Last).ToBeInViewportAsync();
        await Assertions.Expect(ada.GetByTestId("jump")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_phone_shows_one_pane_at_a_time_and_nothing_is_cut_off()
    {
        var page = await OpenAsync(
            "/", new BrowserNewContextOptions { ViewportSize = new() { Width = 375, Height = 720 }, IsMobile = true, HasTouch = true });
        await page.GetByTestId("ready-name").First.WaitForAsync();
        await FitsAsync(page);
        await page.GetByTestId("ready-name").First.TapAsync();
        await page.GetByTestId("room").First.TapAsync();
        await Assertions.Expect(page.GetByTestId("rooms")).ToBeHiddenAsync();
        await SayAsync(page, new string('w', 300));
        await FitsAsync(page);
        await page.GetByTestId("show-members").TapAsync();
        await Assertions.Expect(page.GetByTestId("member")).ToHaveCountAsync(6);
        await page.Keyboard.PressAsync("Escape");
        await page.GetByTestId("back").TapAsync();
        await Assertions.Expect(page.GetByTestId("rooms")).ToBeVisibleAsync();
        await FitsAsync(page);
    }
}
