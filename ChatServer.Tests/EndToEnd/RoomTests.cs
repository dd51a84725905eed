using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

public sealed class RoomTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private const long OtherCompany = 4;

    [Fact]
    public async Task Joining_and_leaving_are_answered_and_mean_what_they_say()
    {
        await using var peer = await LoginAsync(1);
        await using var other = await LoginAsync(2, 100);
        await peer.SendAsync(new { type = "join", room_id = 100 });

        var joined = await peer.NextAsync("joined");
        joined.Select(member => member.Key).Should().BeEquivalentTo(["type", "success", "room_id", "seq", "epoch", "recovered", "reads"]);
        joined.Flag("success").Should().BeTrue();
        joined.Number("room_id").Should().Be(100);
        joined.Number("seq").Should().Be(0);
        joined.Text("epoch").Should().NotBeNullOrEmpty();
        joined.Flag("recovered").Should().BeFalse();
        joined["reads"]!.AsObject().Should().BeEmpty();

        await other.SayAsync(100, "heard");
        await peer.UntilMessageAsync("heard");
        await peer.SendAsync(new { type = "leave", room_id = 100 });
        var left = (await peer.UntilAsync(frame => frame.Type() == "left"))[^1];
        left.ToJsonString().Should().Be("""{"type":"left","success":true,"room_id":100}""");
        await other.SayAsync(100, "unheard");
        await peer.SendAsync(new { type = "join", room_id = 100 });
        var frames = await peer.UntilAsync(frame => frame.Type() == "joined");
        frames.Should().ContainSingle("nothing comes from a room that was left").Which.Number("seq").Should().Be(2);
    }

    [Fact]
    public async Task A_ping_gets_a_pong()
    {
        await using var peer = await LoginAsync(1);
        await peer.SendAsync(new { type = "ping" });

        (await peer.NextAsync()).ToJsonString().Should().Be("""{"type":"pong"}""");
    }

    [Fact]
    public async Task Joining_a_room_again_is_a_fresh_view_and_each_message_still_comes_once()
    {
        await using var peer = await LoginAsync(3, 101);
        await using var other = await LoginAsync(4, 101);
        await other.SayAsync(101, "before");
        await peer.UntilMessageAsync("before");
        await peer.SendAsync(new { type = "join", room_id = 101, since = 0, epoch = "whatever" });
        var joined = (await peer.UntilAsync(frame => frame.Type() == "joined"))[^1];
        joined.Flag("recovered").Should().BeFalse();
        joined.Number("seq").Should().Be(1);

        await other.SayAsync(101, "after");
        await other.SayAsync(101, "last");
        (await peer.UntilMessageAsync("last")).SelectMany(frame => frame.Messages()).Select(message => message.Text("identifier")).Should()
            .Equal("after", "last");
        await peer.SendAsync(new { type = "leave", room_id = 101 });
        await peer.UntilAsync(frame => frame.Type() == "left");
        await peer.SendAsync(new { type = "leave", room_id = 101 });
        (await peer.ErrorAsync("not_in_room")).Number("room_id").Should().Be(101, "once was enough to leave");
    }

    [Fact]
    public async Task The_rooms_of_the_session_are_joined_by_themselves_and_are_the_whole_answer()
    {
        var token = await chat.Sessions.LoginAsync(5, roomIds: "[110,111]");
        var asked = chat.Quantum.MemberCalls;
        await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
        await peer.SendAsync(new { type = "auth", token, rooms = new[] { new { room_id = 112 }, new { room_id = 111 } } });

        (await peer.NextAsync("auth")).Numbers("rooms").Should().BeEquivalentTo([111L, 110L]);
        var frames = new[] { await peer.NextAsync(), await peer.NextAsync(), await peer.NextAsync() };
        frames.Where(frame => frame.Type() == "joined").Select(frame => frame.Number("room_id")).Should().BeEquivalentTo([110L, 111L]);
        var refused = frames.Should().ContainSingle(frame => frame.Type() == "info").Which;
        refused.Text("code").Should().Be("forbidden");
        refused.Number("room_id").Should().Be(112);
        await peer.SendAsync(new { type = "join", room_id = 112 });
        (await peer.ErrorAsync("forbidden")).Number("room_id").Should().Be(112);
        chat.Quantum.MemberCalls.Should().Be(asked, "Quantum is not asked");
    }

    [Fact]
    public async Task An_empty_list_of_rooms_in_the_session_is_an_answer_too()
    {
        var token = await chat.Sessions.LoginAsync(6, roomIds: "[]");
        await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
        await peer.SendAsync(new { type = "auth", token, rooms = new[] { new { room_id = 113 } } });

        (await peer.NextAsync("auth")).Numbers("rooms").Should().BeEmpty();
        (await peer.ErrorAsync("forbidden")).Number("room_id").Should().Be(113);
    }

    [Fact]
    public async Task A_room_of_the_session_is_resumed_by_naming_it()
    {
        await using var writer = await LoginAsync(8, 114);
        var epoch = await EpochAsync(114);
        await writer.SayAsync(114, "seen");
        await writer.SayAsync(114, "missed");
        var token = await chat.Sessions.LoginAsync(7, roomIds: "[114,115]");
        await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
        await peer.SendAsync(new { type = "auth", token, rooms = new[] { new { room_id = 114, since = 1, epoch } } });

        (await peer.NextAsync("auth")).Numbers("rooms").Should().BeEquivalentTo([114L, 115L]);
        var joined = await peer.NextAsync("joined");
        joined.Number("room_id").Should().Be(114);
        joined.Number("seq").Should().Be(2);
        joined.Flag("recovered").Should().BeTrue();
        (await peer.FindAsync("chat")).Messages().Should().ContainSingle().Which.Text("identifier").Should().Be("missed");
        (await peer.FindAsync("joined")).Number("room_id").Should().Be(115);
    }

    [Fact]
    public async Task Quantum_says_who_may_enter()
    {
        await using var quantum = await QuantumServer.StartAsync();
        quantum.Members = room => room switch { 120 => [20], 121 => [21], _ => null };
        quantum.InsteadOfMembers = context =>
        {
            var isForbidden = context.Request.Path.Value!.Contains("/122/", StringComparison.Ordinal);
            context.Response.StatusCode = isForbidden ? 403 : 200;
            return Task.FromResult(isForbidden);
        };
        await using var node = await TestNode.StartAsync(chat.Redis, quantum.Url);
        await using var peer = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(20), 120);
        foreach (var room in new[] { 121, 122, 123 })
        {
            await peer.SendAsync(new { type = "join", room_id = room });
            (await peer.ErrorAsync("forbidden")).Number("room_id").Should().Be(room);
        }

        await peer.ChatAsync(121, "sneaked", "in");
        (await peer.ErrorAsync("not_in_room")).Text("identifier").Should().Be("sneaked");
        await using var second = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(20), 120);
        quantum.MemberCalls.Should().Be(4, "the list of a room is asked for once a minute");
    }

    [Fact]
    public async Task If_the_company_decides_everybody_of_it_may_enter()
    {
        await using var node = await chat.StartNodeAsync(("ROOM_ACCESS", "company"));
        var asked = chat.Quantum.MemberCalls;
        await using var peer = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(1234), 125);

        (await peer.SayAsync(125, "in")).Number("seq").Should().Be(1);
        chat.Quantum.MemberCalls.Should().Be(asked);
    }

    [Fact]
    public async Task While_Quantum_is_out_of_reach_what_is_known_counts_and_the_rest_is_unavailable()
    {
        await using var quantum = await QuantumServer.StartAsync();
        await using var node = await TestNode.StartAsync(chat.Redis, quantum.Url, ("QUANTUM_TIMEOUT", "1"));
        await using var first = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(30), 130);
        quantum.InsteadOfMembers = context =>
        {
            context.Response.StatusCode = 500;
            return Task.FromResult(true);
        };

        await using var second = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(31), 130);
        await second.SendAsync(new { type = "join", room_id = 131 });
        (await second.ErrorAsync("unavailable")).Number("room_id").Should().Be(131);
        (await second.SayAsync(130, "still here")).Number("seq").Should().Be(1);

        quantum.InsteadOfMembers = _ => Task.FromResult(false);
        await second.SendAsync(new { type = "join", room_id = 131 });
        await second.UntilAsync(frame => frame.Type() == "joined");
    }

    [Fact]
    public async Task Rooms_of_equal_number_in_two_companies_have_nothing_in_common()
    {
        await using var second = await chat.StartNodeAsync();
        await using var here = await LoginAsync(40, 140);
        await using var hereToo = await ChatPeer.LoginAsync(second.Url, await chat.Sessions.LoginAsync(41), 140);
        await using var there = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(42, OtherCompany), 140);
        await using var thereToo = await ChatPeer.LoginAsync(second.Url, await chat.Sessions.LoginAsync(43, OtherCompany), 140);

        (await here.SayAsync(140, "here 1")).Number("seq").Should().Be(1);
        (await here.SayAsync(140, "here 2")).Number("seq").Should().Be(2);
        (await there.SayAsync(140, "there 1")).Number("seq").Should().Be(1);
        await hereToo.UntilMessageAsync("here 2");
        var message = (await thereToo.NextAsync("chat")).Messages().Should().ContainSingle().Which;
        message.Text("identifier").Should().Be("there 1");
        message.Number("company_id").Should().Be(OtherCompany);
        (await thereToo.ToldAsync("saved"))["saved"]![0]!["identifier"]!.GetValue<string>().Should().Be("there 1");
        (await there.ToldAsync("info_chat")).Text("identifier").Should().Be("there 1");
        foreach (var peer in new[] { there, thereToo })
        {
            (await peer.DrainAllAsync()).Should().BeEmpty("nothing of the other company shows");
        }
    }

    [Fact]
    public async Task A_connection_may_be_in_so_many_rooms_and_in_another_after_it_left_one()
    {
        await using var node = await chat.StartNodeAsync(("MAX_ROOMS_PER_CONNECTION", "2"));
        await using var peer = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(50), 150, 151);
        await peer.SendAsync(new { type = "join", room_id = 152 });
        (await peer.ErrorAsync("forbidden")).Number("room_id").Should().Be(152);

        await peer.SendAsync(new { type = "leave", room_id = 150 });
        await peer.NextAsync("left");
        await peer.SendAsync(new { type = "join", room_id = 152 });
        (await peer.NextAsync("joined")).Number("room_id").Should().Be(152);
    }

    [Fact]
    public async Task The_auth_answer_names_no_more_rooms_than_are_joined()
    {
        await using var node = await chat.StartNodeAsync(("MAX_ROOMS_PER_CONNECTION", "2"));
        var token = await chat.Sessions.LoginAsync(51, roomIds: "[153,154,155]");
        await using var peer = await ChatPeer.OpenAsync(node.Url);
        await peer.SendTextAsync(token);

        (await peer.NextAsync("auth")).Numbers("rooms").Should().Equal(153, 154);
        var frames = new[] { await peer.NextAsync(), await peer.NextAsync(), await peer.NextAsync() };
        frames.Where(frame => frame.Type() == "joined").Select(frame => frame.Number("room_id")).Should().BeEquivalentTo([153L, 154L]);
        frames.Should().ContainSingle(frame => frame.Text("code") == "forbidden").Which.Number("room_id").Should().Be(155);
    }

    [Theory]
    [InlineData("""{"type":"join"}""")]
    [InlineData("""{"type":"join","room_id":0}""")]
    [InlineData("""{"type":"join","room_id":-1}""")]
    [InlineData("""{"type":"join","room_id":1.5}""")]
    [InlineData("""{"type":"join","room_id":"12"}""")]
    [InlineData("""{"type":"join","room_id":9007199254740992}""")]
    [InlineData("""{"type":"join","room_id":{"id":12}}""")]
    [InlineData("""{"type":"join","room_id":12,"since":-1}""")]
    [InlineData("""{"type":"join","room_id":12,"since":"1"}""")]
    [InlineData("""{"type":"join","room_id":12,"since":1,"epoch":7}""")]
    [InlineData("""{"type":"join","room_id":12,"since":1,"epoch":"\ud800"}""")]
    [InlineData("""{"type":"leave"}""")]
    public async Task A_join_that_makes_no_sense_is_a_bad_frame(string frame)
    {
        await using var peer = await LoginAsync(60);
        await peer.SendTextAsync(frame);

        await peer.ErrorAsync("bad_frame");
        (await peer.DrainAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task The_largest_number_of_a_room_is_a_room()
    {
        await using var peer = await LoginAsync(61, 9007199254740991);

        var ack = await peer.SayAsync(9007199254740991, "far out");
        ack.Number("room_id").Should().Be(9007199254740991);
    }

    private async Task<ChatPeer> LoginAsync(long user, params long[] rooms) =>
        await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(user), rooms);

    private async Task<string> EpochAsync(long room)
    {
        await using var peer = await LoginAsync(62);
        await peer.SendAsync(new { type = "join", room_id = room });
        return (await peer.NextAsync("joined")).Text("epoch")!;
    }
}
