using System.Text.Json;
using ChatServer.Tests.Embedded.Demo.Support;

namespace ChatServer.Tests.Embedded.Demo;

/// <summary>How the browser client follows its rooms: joins, order, duplicates, holes, and what it takes up again.</summary>
[Collection(ChromiumTests.Name)]
public sealed class ChatClientRoomTests(ChromiumFixture chromium) : ChatClientTest(chromium)
{
    [Fact]
    public async Task Join_WhileTheFirstFrameIsUnderWay_IsMadeUpAfterwards()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        var auth = await server.ReceiveAsync();
        await EvaluateAsync("client.join(15)");

        await server.SendAsync("""{"type":"auth","success":true,"user_id":7,"company_id":3,"rooms":[12],"ping_interval":25}""");

        auth.GetProperty("rooms").GetArrayLength().Should().Be(1);
        (await server.ReceiveAsync()).ToString().Should().Be("""{"type":"join","room_id":15}""");
    }

    [Fact]
    public async Task Receive_MessagesTwice_TellsThemOnce()
    {
        await StartClientAsync("rooms: [12]");
        var first = await Chat.AcceptAsync();
        await first.WelcomeAsync(seq: 500);
        await first.ChatAsync(501);
        await first.ChatAsync(501);
        await first.ChatAsync(502);
        await Page.WaitForFunctionAsync("log.message.length === 2");
        first.Abort();

        var second = await Chat.AcceptAsync();
        var auth = await second.WelcomeAsync(seq: 503, recovered: true);
        await second.ChatAsync(502);
        await second.ChatAsync(503);

        await Page.WaitForFunctionAsync("log.message.length === 3");
        auth.GetProperty("rooms")[0].GetProperty("since").GetInt64().Should().Be(502);
        (await LogAsync("message")).Should().Equal("501", "502", "503");
    }

    [Fact]
    public async Task Receive_AHole_ResumesFromTheLastInOrder()
    {
        await StartClientAsync("rooms: [12]");
        var first = await Chat.AcceptAsync();
        await first.WelcomeAsync(seq: 500);
        await first.ChatAsync(501);
        await first.ChatAsync(503);

        var second = await Chat.AcceptAsync();
        var auth = await second.WelcomeAsync(seq: 503, recovered: true);
        await second.ChatAsync(502);
        await second.ChatAsync(503);

        auth.GetProperty("rooms")[0].GetProperty("since").GetInt64().Should().Be(501);
        await Page.WaitForFunctionAsync("log.message.length === 3");
        (await LogAsync("message")).Should().Equal("501", "502", "503");
    }

    [Fact]
    public async Task Reconnect_NotRecovered_TellsToReloadAndGoesOnFromThere()
    {
        await StartClientAsync("rooms: [12]");
        var first = await Chat.AcceptAsync();
        await first.WelcomeAsync(seq: 500);
        await Page.WaitForFunctionAsync("log.joined.length === 1");
        (await LogAsync("reload")).Should().BeEmpty("a first, fresh join misses nothing");
        await first.CloseAsync(1012, "restart");

        var second = await Chat.AcceptAsync();
        await second.WelcomeAsync(seq: 3, epoch: "n1");
        await second.ChatAsync(4);

        await Page.WaitForFunctionAsync("log.message.length === 1");
        (await LogAsync("reload")).Should().Equal("12");
        (await PositionAsync()).Should().Be((4, "n1"));
    }

    [Fact]
    public async Task Join_Forbidden_RefusesWhatWaitsForTheRoomAndIsNotAskedAgain()
    {
        await StartClientAsync("rooms: [12, 66]");
        var server = await Chat.AcceptAsync();
        await server.ReceiveAsync();
        await EvaluateAsync("sent = [client.send(66, 'let me in')]");
        await server.SendAsync("""{"type":"auth","success":true,"user_id":7,"company_id":3,"rooms":[12],"ping_interval":25}""");
        await server.SendAsync("""{"type":"info","success":false,"code":"forbidden","message":"No","room_id":66}""");
        await server.JoinedAsync(12, 0, recovered: false);

        (await EvaluateAsync<string>("sent[0].sent.catch((e) => e.code)")).Should().Be("forbidden");
        server.Abort();
        var auth = await (await Chat.AcceptAsync()).ReceiveAsync();
        auth.GetProperty("rooms").EnumerateArray().Select(room => room.GetProperty("room_id").GetInt64()).Should().Equal(12);
    }

    [Fact]
    public async Task Join_Unavailable_IsTriedAgain()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.ReceiveAsync();
        await server.SendAsync("""{"type":"auth","success":true,"user_id":7,"company_id":3,"rooms":[],"ping_interval":25}""");

        await server.SendAsync("""{"type":"info","success":false,"code":"unavailable","message":"Later","room_id":12}""");

        (await server.ReceiveAsync()).ToString().Should().Be("""{"type":"join","room_id":12}""");
    }

    [Fact]
    public async Task Leave_RoomOfTheSession_IsLeftAgainAfterAReconnect()
    {
        await StartClientAsync("rooms: [12]");
        var first = await Chat.AcceptAsync();
        await first.WelcomeAsync();
        await Page.WaitForFunctionAsync("log.joined.length === 1");
        await EvaluateAsync("client.leave(12)");
        (await first.ReceiveAsync()).ToString().Should().Be("""{"type":"leave","room_id":12}""");
        await first.ChatAsync(1);
        first.Abort();

        var second = await Chat.AcceptAsync();
        await second.WelcomeAsync();
        await second.JoinedAsync(12, 1, recovered: false);

        (await second.ReceiveAsync()).ToString().Should().Be("""{"type":"leave","room_id":12}""");
        (await LogAsync("message")).Should().BeEmpty();
    }

    [Fact]
    public async Task Frames_OfOtherTypes_AreEventsUnderTheirType()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        await EvaluateAsync("void (seen = new Promise((resolve) => client.on('typing', resolve)))");

        await server.SendAsync("""{"type":"typing","room_id":12,"user_id":9,"typing":true}""");

        (await EvaluateAsync<JsonElement>("seen")).GetProperty("user_id").GetInt64().Should().Be(9);
        (await EvaluateAsync<bool>("client.sendFrame({ type: 'read', room_id: 12, seq: 5 })")).Should().BeTrue();
        (await server.ReceiveAsync()).ToString().Should().Be("""{"type":"read","room_id":12,"seq":5}""");
    }
}
