using ChatServer.Tests.Embedded.Demo.Support;
using static ChatServer.Tests.Embedded.Demo.Support.ScriptedConnection;

namespace ChatServer.Tests.Embedded.Demo;

/// <summary>What becomes of files that the browser client sends.</summary>
[Collection(ChromiumTests.Name)]
public sealed class ChatClientFileTests(ChromiumFixture chromium) : ChatClientTest(chromium)
{
    private const string MakeFile =
        "file = new File([Uint8Array.from({ length: 300000 }, (_, i) => i % 251)], 'plan.pdf', { type: 'application/pdf' })";

    private static readonly byte[] Content = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i % 251))];

    [Fact]
    public async Task SendFile_GoAhead_SendsTheBytesTellsProgressAndIsAcked()
    {
        var server = await StartAsync();
        await EvaluateAsync(
            $"{MakeFile}; progress = []; sent = [client.sendFile(12, file, {{ onProgress: (n, of) => progress.push(`${{n}}/${{of}}`) }})]");

        var announced = await server.ReceiveAsync();
        announced.ToString().Should().Be(
            $$"""{"type":"file","room_id":12,"identifier":"{{IdentifierOf(announced)}}","name":"plan.pdf","content_type":"application/pdf","size":300000}""");
        await GoAsync(server, announced);
        var bytes = await server.ReceiveBytesAsync(Content.Length);
        await server.SendAsync($$"""{"type":"progress","identifier":"{{IdentifierOf(announced)}}","received":262144}""");
        await server.AckAsync(announced, 1);

        bytes.Should().Equal(Content);
        (await EvaluateAsync<string>("sent[0].sent.then((m) => `${m.state} ${m.seq}`)")).Should().Be("sent 1");
        (await EvaluateAsync<string[]>("progress")).Should().Equal("262144/300000");
    }

    [Fact]
    public async Task SendFile_MessagesMeanwhile_PassBetweenItsSlices()
    {
        var server = await StartAsync();
        await EvaluateAsync($"{MakeFile}; client.sendFile(12, file)");
        await GoAsync(server, await server.ReceiveAsync());

        await EvaluateAsync("client.send(12, 'hello')");

        (await server.ReceiveBytesAsync()).Text.GetProperty("body").GetString().Should().Be("hello");
    }

    [Fact]
    public async Task SendFile_Several_GoOneAfterTheOther()
    {
        var server = await StartAsync();
        await EvaluateAsync(
            $"{MakeFile}; sent = [client.sendFile(12, file, {{ name: 'one' }}), client.sendFile(12, new Blob([]), {{ name: 'two' }})]");
        var one = await server.ReceiveAsync();
        await GoAsync(server, one);
        await server.ReceiveBytesAsync(Content.Length);
        await server.AckAsync(one, 1);

        var two = await server.ReceiveAsync();
        await GoAsync(server, two);
        await server.AckAsync(two, 2);

        two.GetProperty("name").GetString().Should().Be("two");
        two.GetProperty("size").GetInt64().Should().Be(0);
        await Page.WaitForFunctionAsync("sent.every((m) => m.state === 'sent')");
    }

    [Fact]
    public async Task SendFile_CutMidway_BeginsAnewWithTheSameIdentifier()
    {
        var first = await StartAsync();
        await EvaluateAsync($"{MakeFile}; sent = [client.sendFile(12, file)]");
        var before = await first.ReceiveAsync();
        await GoAsync(first, before);
        await first.ReceiveBytesAsync(65_536);
        first.Abort();

        var second = await Chat.AcceptAsync();
        await second.WelcomeAsync(recovered: true);
        var again = await second.ReceiveAsync();
        await GoAsync(second, again);
        (await second.ReceiveBytesAsync(Content.Length)).Should().Equal(Content);
        await second.AckAsync(again, 1);

        again.ToString().Should().Be(before.ToString());
        await Page.WaitForFunctionAsync("sent[0].state === 'sent'");
    }

    [Fact]
    public async Task SendFile_ThatArrivedBeforeTheCut_IsKnownByTheAckAndSendsNoByte()
    {
        var first = await StartAsync();
        await EvaluateAsync($"{MakeFile}; sent = [client.sendFile(12, file)]");
        await first.ReceiveAsync();
        first.Abort();

        var second = await Chat.AcceptAsync();
        await second.WelcomeAsync(recovered: true);
        await second.AckAsync(await second.ReceiveAsync(), 1);

        await Page.WaitForFunctionAsync("sent[0].state === 'sent'");
        (await second.IsSilentForAsync(TimeSpan.FromSeconds(0.5))).Should().BeTrue();
    }

    [Fact]
    public async Task SendFile_ANameTooLong_IsCutBetweenCharacters()
    {
        var server = await StartAsync();

        await EvaluateAsync("client.sendFile(12, new Blob([]), { name: 'a\\ud83d\\u{1F600}' + 'x'.repeat(254) })");
        await EvaluateAsync("client.sendFile(12, new Blob([]), { name: '\\udc00b' })");

        var first = await server.ReceiveAsync();
        first.GetProperty("name").GetString().Should().Be(new string('x', 254));
        await server.AckAsync(first, 1);
        (await server.ReceiveAsync()).GetProperty("name").GetString().Should().Be("\uFFFDb");
    }

    [Fact]
    public async Task SendFile_EndedTheConnectionTwice_IsGivenUp()
    {
        var server = await StartAsync();
        await EvaluateAsync("sent = [client.sendFile(12, new Blob([]), { name: 'a' })]; client.sendFile(12, new Blob([]), { name: 'b' })");

        for (var connection = 0; connection < 2; connection++)
        {
            (await server.ReceiveAsync()).GetProperty("name").GetString().Should().Be("a");
            await server.CloseAsync(1011, "internal_error");
            server = await Chat.AcceptAsync();
            await server.WelcomeAsync(recovered: true);
        }

        (await server.ReceiveAsync()).GetProperty("name").GetString().Should().Be("b");
        (await EvaluateAsync<string>("sent[0].sent.catch((e) => e.code)")).Should().Be("connection_ended");
    }

    [Fact]
    public async Task Cancel_WhileItIsUnderWay_SaysSoAndStops()
    {
        var server = await StartAsync();
        await EvaluateAsync($"{MakeFile}; stop = new AbortController(); sent = [client.sendFile(12, file, {{ signal: stop.signal }})]");
        var announced = await server.ReceiveAsync();

        await EvaluateAsync("stop.abort()");

        (await server.ReceiveAsync()).ToString().Should().Be($$"""{"type":"cancel","identifier":"{{IdentifierOf(announced)}}"}""");
        await GoAsync(server, announced);
        await server.RefuseAsync(announced, "file_incomplete");
        (await EvaluateAsync<string>("sent[0].sent.catch((e) => e.code)")).Should().Be("cancelled");
        (await server.IsSilentForAsync(TimeSpan.FromSeconds(0.5))).Should().BeTrue();
    }

    [Fact]
    public async Task Cancel_TooLate_LetsTheAckStand()
    {
        var server = await StartAsync();
        await EvaluateAsync("sent = [client.sendFile(12, new Blob(['x']))]");
        var announced = await server.ReceiveAsync();
        await GoAsync(server, announced);
        await server.ReceiveBytesAsync(1);

        await EvaluateAsync("sent[0].cancel()");
        await server.AckAsync(announced, 1);

        (await EvaluateAsync<string>("sent[0].sent.then((m) => m.state)")).Should().Be("sent");
    }

    [Theory]
    [InlineData("too_large")]
    [InlineData("file_rejected")]
    public async Task SendFile_Refused_IsOverAndTheNextGoes(string code)
    {
        var server = await StartAsync();
        await EvaluateAsync("sent = [client.sendFile(12, new Blob(['x'])), client.sendFile(12, new Blob(['y']), { name: 'next' })]");

        await server.RefuseAsync(await server.ReceiveAsync(), code);

        (await EvaluateAsync<string>("sent[0].sent.catch((e) => e.code)")).Should().Be(code);
        (await server.ReceiveAsync()).GetProperty("name").GetString().Should().Be("next");
    }

    [Fact]
    public async Task SendFile_Unavailable_GoesAgain()
    {
        var server = await StartAsync();
        await EvaluateAsync($"{MakeFile}; client.sendFile(12, file)");
        var announced = await server.ReceiveAsync();
        await GoAsync(server, announced);

        await server.RefuseAsync(announced, "unavailable");

        (await server.ReceiveBytesAsync()).Text.ToString().Should().Be(announced.ToString());
    }

    [Fact]
    public async Task AFileOfSomebodyElse_ComesWithAnAbsoluteAddress()
    {
        var server = await StartAsync();
        await EvaluateAsync("void client.on('message', (m) => { url = m.file.url; })");

        await server.SendAsync(
            """
            {"type":"file","success":true,"messages":[{"type":"file","room_id":12,"seq":1,"identifier":"f","from_user_id":9,"company_id":3,
            "file":{"id":"1-x","name":"a","content_type":"text/plain","size":1,"sha256":"","url":"/files/1-x"},
            "timestamp":"2026-03-09T10:02:05.250Z"}]}
            """);

        await Page.WaitForFunctionAsync("globalThis.url");
        (await EvaluateAsync<string>("url")).Should().Be(new Uri(Chat.Url, "/files/1-x").ToString());
    }

    private async Task<ScriptedConnection> StartAsync()
    {
        await StartClientAsync("rooms: [12]");
        var server = await Chat.AcceptAsync();
        await server.WelcomeAsync();
        return server;
    }

    private static Task GoAsync(ScriptedConnection server, System.Text.Json.JsonElement announced) =>
        server.SendAsync($$"""{"type":"upload","success":true,"room_id":12,"identifier":"{{IdentifierOf(announced)}}"}""");
}
