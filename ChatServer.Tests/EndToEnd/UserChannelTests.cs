using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.EndToEnd;

public sealed class UserChannelTests(TwoNodes chat) : IClassFixture<TwoNodes>
{
    [Fact]
    public async Task What_Quantum_publishes_for_a_user_reaches_every_connection_of_that_user_and_of_no_other()
    {
        await using var here = await LoginAsync(chat.Node, 1);
        await using var tab = await LoginAsync(chat.Node, 1);
        await using var there = await LoginAsync(chat.Second, 1);
        await using var other = await LoginAsync(chat.Node, 2);
        await using var namesake = await LoginAsync(chat.Node, 11);
        const string notification = """{"type":"notification","title":"Zażółć 👍","nested":{"messages":[1,2]},"n":1.0}""";
        await PublishAsync(1, notification);
        await PublishAsync(1, """{"type":"end"}""");

        foreach (var peer in new[] { here, tab, there })
        {
            var frames = await peer.UntilAsync(frame => frame.Type() == "end");
            frames.Should().HaveCount(2);
            frames[0].Text("title").Should().Be("Zażółć 👍");
            frames[0]["nested"]!.ToJsonString().Should().Be("""{"messages":[1,2]}""");
        }

        (await other.DrainAsync()).Should().BeEmpty();
        (await namesake.DrainAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task A_bare_chat_is_wrapped_and_one_with_messages_is_not()
    {
        await using var peer = await LoginAsync(chat.Node, 3);
        await PublishAsync(3, """ {"type":"chat","room_id":5,"body":"from elsewhere"} """);
        await PublishAsync(3, """{"messages":[{"body":"wrapped already"}],"type":"chat","success":true}""");

        var wrapped = await peer.NextAsync("chat");
        wrapped.Flag("success").Should().BeTrue();
        wrapped.Messages().Should().ContainSingle().Which.Text("body").Should().Be("from elsewhere");
        wrapped.Messages().Single().Number("room_id").Should().Be(5);
        (await peer.NextAsync("chat")).Messages().Should().ContainSingle().Which.Text("body").Should().Be("wrapped already");
    }

    [Theory]
    [InlineData("")]
    [InlineData("no JSON")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{}")]
    [InlineData("""{"type":7}""")]
    [InlineData("""{"type":"cut""")]
    [InlineData("""{"type":"two"}{"type":"objects"}""")]
    [InlineData("""{"type":"\ud800"}""")]
    public async Task Garbage_is_dropped_with_a_line_in_the_log(string garbage)
    {
        var before = Warnings();
        await using var peer = await LoginAsync(chat.Node, 4);
        await PublishAsync(4, garbage);
        await PublishAsync(4, """{"type":"end"}""");

        await peer.NextAsync("end");
        Warnings().Should().Be(before + 1);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_never_reach_a_browser()
    {
        await using var peer = await LoginAsync(chat.Node, 5);
        await chat.Chat.Connection.GetSubscriber().PublishAsync(
            RedisChannel.Literal("user_5"), (byte[])[.. "{\"type\":\"x\",\"t\":\""u8, 0xC3, 0x28, .. "\"}"u8]);
        await PublishAsync(5, """{"type":"end"}""");

        await peer.NextAsync("end");
    }

    [Fact]
    public async Task The_channel_is_heard_as_long_as_one_connection_is_there()
    {
        var first = await LoginAsync(chat.Node, 6);
        await using var second = await LoginAsync(chat.Node, 6);
        await first.DisposeAsync();
        await Eventually.TrueAsync(() => chat.Node.Connections.OfUser(6).Count == 1, ChatPeer.Patience, () => "the first is to be gone");
        (await PublishAsync(6, """{"type":"still"}""")).Should().Be(1);
        await second.NextAsync("still");

        await second.DisposeAsync();
        await Eventually.TrueAsync(
            () => PublishAsync(6, """{"type":"gone"}""").GetAwaiter().GetResult() == 0, ChatPeer.Patience, () => "nobody is there to hear");
        await using var third = await LoginAsync(chat.Node, 6);
        await PublishAsync(6, """{"type":"again"}""");
        await third.NextAsync("again");
    }

    [Fact]
    public async Task Nothing_overtakes_the_answer_to_the_first_frame()
    {
        await using var tab = await LoginAsync(chat.Node, 7);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        chat.Quantum.InsteadOfMembers = async _ =>
        {
            asked.TrySetResult();
            await answer.Task.WaitAsync(ChatPeer.Patience);
            return false;
        };
        await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
        await peer.SendAsync(new { type = "auth", token = await chat.Sessions.LoginAsync(7), rooms = new[] { new { room_id = 77 } } });
        await asked.Task.WaitAsync(ChatPeer.Patience);
        await PublishAsync(7, """{"type":"news"}""");
        await tab.NextAsync("news");
        answer.SetResult();

        (await peer.NextAsync("auth")).Flag("success").Should().BeTrue();
        await PublishAsync(7, """{"type":"later"}""");
        await peer.FindAsync("later");
    }

    private async Task<ChatPeer> LoginAsync(TestNode node, long user) =>
        await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(user));

    private int Warnings() => chat.Node.Log.All.Count(
        line => line.StartsWith("Warning", StringComparison.Ordinal) && line.Contains("user_4", StringComparison.Ordinal));

    /// <returns>How many heard it.</returns>
    private Task<long> PublishAsync(long user, string json) =>
        chat.Chat.Connection.GetSubscriber().PublishAsync(RedisChannel.Literal($"user_{user}"), json);
}
