using ChatServer.Tests.Embedded.Demo.Support;
using static ChatServer.Tests.Embedded.Demo.Support.ScriptedConnection;

namespace ChatServer.Tests.Embedded.Demo;

/// <summary>What becomes of messages that the browser client sends: order, identifiers, states, and what is sent again.</summary>
[Collection(ChromiumTests.Name)]
public sealed class ChatClientDeliveryTests(ChromiumFixture chromium) : ChatClientTest(chromium)
{
    [Fact]
    public async Task Send_SeveralAtOnce_LeaveOneByOneInOrderAndAreAcked()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync(seq: 500);

        await EvaluateAsync("sent = ['a', 'b', 'c'].map((body) => client.send(12, body))");

        List<string> identifiers = [];
        for (var i = 0; i < 3; i++)
        {
            var chat = await server.ReceiveAsync();
            chat.GetProperty("body").GetString().Should().Be("abc"[i].ToString());
            identifiers.Add(IdentifierOf(chat));
            await server.AckAsync(chat, 501 + i);
        }

        identifiers.Distinct().Should().HaveCount(3);
        await Page.WaitForFunctionAsync("sent.every((m) => m.state === 'sent')");
        (await EvaluateAsync<long[]>("sent.map((m) => m.seq)")).Should().Equal(501, 502, 503);
        (await PositionAsync()).Should().Be((503, "k3"), "an ack takes its turn in the room's stream");
    }

    [Fact]
    public async Task Send_SavedByQuantum_ResolvesSaved()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        await EvaluateAsync("sent = [client.send(12, 'hello')]");
        var chat = await server.ReceiveAsync();
        await server.AckAsync(chat, 1);

        await server.SendAsync(
            $$"""{"type":"info_chat","success":true,"message":"Message sent out successfully","room_id":12,"identifier":"{{IdentifierOf(chat)}}","seq":1,"id":9001,"timestamp":"2026-03-09T10:02:06Z","discussion_date":"Today","discussion_time":"10:02 AM"}""");

        (await EvaluateAsync<long>("sent[0].saved.then((m) => m.id)")).Should().Be(9001);
        (await LogAsync("delivery")).Should().Equal("sent", "saved");
    }

    [Fact]
    public async Task Send_RefusedAfterItsAck_TellsQuantumsWords()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        await EvaluateAsync("sent = [client.send(12, 'hello')]");
        var chat = await server.ReceiveAsync();
        await server.AckAsync(chat, 1);

        await server.RefuseAsync(chat, "not_saved");

        (await EvaluateAsync<string>("sent[0].saved.catch((e) => `${e.code}: ${e.message}`)")).Should().Be("not_saved: no");
        (await LogAsync("delivery")).Should().Equal("sent", "refused");
    }

    [Fact]
    public async Task Send_CutBeforeTheAck_GoesAgainWithTheSameIdentifierAndInOrder()
    {
        await StartClientAsync("rooms: [12]");
        var first = await Chat.AcceptAsync();
        await first.WelcomeAsync(seq: 500);
        await EvaluateAsync("sent = [client.send(12, 'one')]");
        var before = await first.ReceiveAsync();
        first.Abort();
        await EvaluateAsync("sent.push(client.send(12, 'two'))");

        var second = await Chat.AcceptAsync();
        var auth = await second.WelcomeAsync(seq: 500, recovered: true);
        var again = await second.ReceiveAsync();
        await second.AckAsync(again, 501);
        var next = await second.ReceiveAsync();
        await second.AckAsync(next, 502);

        auth.GetProperty("rooms")[0].ToString().Should().Be("""{"room_id":12,"since":500,"epoch":"k3"}""");
        again.ToString().Should().Be(before.ToString());
        next.GetProperty("body").GetString().Should().Be("two");
        await Page.WaitForFunctionAsync("sent.every((m) => m.state === 'sent')");
        (await LogAsync("reload")).Should().BeEmpty();
    }

    [Fact]
    public async Task Send_CutAfterItWasAccepted_IsKnownByTheReplayAndNotSentAgain()
    {
        await StartClientAsync("rooms: [12]");
        var first = await Chat.AcceptAsync();
        await first.WelcomeAsync(seq: 500);
        await EvaluateAsync("sent = [client.send(12, 'one')]");
        var chat = await first.ReceiveAsync();
        first.Abort();

        var second = await Chat.AcceptAsync();
        await second.WelcomeAsync(seq: 502, recovered: true);
        await second.ChatAsync(501, IdentifierOf(chat), from: 7);
        await second.ChatAsync(502);

        await Page.WaitForFunctionAsync("log.message.length === 2");
        (await EvaluateAsync<string>("`${sent[0].state} ${sent[0].seq}`")).Should().Be("sent 501");
        (await second.IsSilentForAsync(TimeSpan.FromSeconds(1))).Should().BeTrue();
    }

    [Fact]
    public async Task Send_Unavailable_GoesAgainWithTheSameIdentifierBeforeLaterOnes()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        await EvaluateAsync("sent = ['a', 'b'].map((body) => client.send(12, body))");
        var chat = await server.ReceiveAsync();

        await server.RefuseAsync(chat, "unavailable");

        var again = await server.ReceiveAsync();
        again.ToString().Should().Be(chat.ToString());
        await server.AckAsync(again, 1);
        (await server.ReceiveAsync()).GetProperty("body").GetString().Should().Be("b");
    }

    [Fact]
    public async Task Send_RateLimited_WaitsAndGoesAgain()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        await EvaluateAsync("sent = [client.send(12, 'a')]");
        var chat = await server.ReceiveAsync();
        var refusedAt = TimeProvider.System.GetTimestamp();

        await server.RefuseAsync(chat, "rate_limited");

        (await server.ReceiveAsync()).ToString().Should().Be(chat.ToString());
        TimeProvider.System.GetElapsedTime(refusedAt).Should().BeGreaterThan(TimeSpan.FromSeconds(0.9));
    }

    [Fact]
    public async Task Send_NeverAcked_GoesAgainAfterTheAnswerTimeout()
    {
        await StartClientAsync("rooms: [12], answerTimeout: 2500");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        await EvaluateAsync("client.send(12, 'a')");

        var first = await server.ReceiveAsync();

        (await server.ReceiveAsync()).ToString().Should().Be(first.ToString());
    }

    [Fact]
    public async Task Send_FrameOverTheLimit_IsRefusedWithoutASend()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();

        var code = await EvaluateAsync<string>("client.send(12, 'ü'.repeat(32760)).sent.catch((e) => e.code)");

        code.Should().Be("too_large");
        await EvaluateAsync("client.send(12, 'small')");
        (await server.ReceiveAsync()).GetProperty("body").GetString().Should().Be("small");
    }

    [Fact]
    public async Task Send_HalfACharacter_LeavesAsValidUnicode()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();

        await EvaluateAsync("client.send(12, 'a\\ud83d \\u{1F600}')");

        (await server.ReceiveAsync()).GetProperty("body").GetString().Should().Be("a\uFFFD \U0001F600");
    }

    [Fact]
    public async Task Send_EndedTheConnectionTwice_IsGivenUpAndTheNextOneGoesOut()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        await EvaluateAsync("sent = ['bad', 'good'].map((body) => client.send(12, body))");

        for (var connection = 0; connection < 2; connection++)
        {
            (await server.ReceiveAsync()).GetProperty("body").GetString().Should().Be("bad");
            await server.CloseAsync(1011, "internal_error");
            server = await Chat.AcceptAsync();
            await server.WelcomeAsync(recovered: true);
        }

        (await server.ReceiveAsync()).GetProperty("body").GetString().Should().Be("good");
        (await EvaluateAsync<string>("sent[0].sent.catch((e) => e.code)")).Should().Be("connection_ended");
        (await LogAsync("delivery")).Should().Equal("refused");
    }

    [Fact]
    public async Task Send_SeveralWereUnderWayAsItEnded_GoOneAtATimeSoThatOnlyTheCulpritIsGivenUp()
    {
        await StartClientAsync("rooms: [12, 13]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        await EvaluateAsync("sent = [client.send(12, 'good'), client.send(13, 'bad')]");
        await server.ReceiveAsync();
        await server.ReceiveAsync();
        await server.CloseAsync(1011, "internal_error");

        server = await Chat.AcceptAsync();
        await server.WelcomeAsync(recovered: true);
        var good = await server.ReceiveAsync();
        good.GetProperty("body").GetString().Should().Be("good");
        await server.AckAsync(good, 1);
        (await server.ReceiveAsync()).GetProperty("body").GetString().Should().Be("bad");
        await server.CloseAsync(1011, "internal_error");

        await Page.WaitForFunctionAsync("sent[0].state === 'sent' && sent[1].state === 'refused'");
    }

    [Fact]
    public async Task Send_TheNetworkFailsAgainAndAgain_IsNeverGivenUp()
    {
        await StartClientAsync("rooms: [12]");
        await EvaluateAsync("sent = [client.send(12, 'a')]");

        for (var connection = 0; connection < 4; connection++)
        {
            var server = await Chat.AcceptAsync();
            await server.WelcomeAsync(recovered: connection > 0);
            await server.ReceiveAsync();
            server.Abort();
        }

        (await EvaluateAsync<string>("sent[0].state")).Should().Be("sending");
    }

    [Fact]
    public async Task Identifier_InsecureOriginWithoutRandomUuid_IsStillUnique()
    {
        await StartClientAsync("rooms: [12]");

        var identifiers = await EvaluateAsync<string[]>(
            "import('/chat-client.js').then((m) => { crypto.randomUUID = undefined; return Array.from({ length: 50 }, m.newIdentifier); })");

        identifiers.Distinct().Should().HaveCount(50);
        identifiers.Should().OnlyContain(identifier => identifier.Length == 32);
    }
}
