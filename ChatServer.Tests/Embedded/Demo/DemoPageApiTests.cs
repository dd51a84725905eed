using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ChatServer.Embedded.Demo;
using ChatServer.Tests.Embedded.Demo.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Embedded.Demo;

public sealed class DemoPageApiTests
{
    [Fact]
    public async Task Login_AnyName_WritesTheSessionRecordUnderTheKeyOfTheToken()
    {
        await using var host = await DemoHost.StartAsync();

        var answer = await LoginAsync(host, "Ada");

        var key = Encoding.UTF8.GetString(Convert.FromBase64String(answer.GetProperty("token").GetString()!));
        key.Should().MatchRegex("^[0-9a-f]{32}_1_1$");
        answer.GetProperty("user").GetProperty("name").GetString().Should().Be("Ada");
        answer.GetProperty("company").GetProperty("id").GetInt64().Should().Be(1);
        var (value, timeToLive) = host.Sessions.Records.Should().ContainKey(key).WhoseValue;
        timeToLive.Should().Be(TimeSpan.FromHours(24));
        var record = JsonSerializer.Deserialize<JsonElement>(value);
        record.EnumerateObject().Select(member => member.Name).Should().BeEquivalentTo("token_key", "user", "company");
        record.GetProperty("token_key").GetString().Should().HaveLength(40);
        record.GetProperty("user").GetProperty("id").GetInt64().Should().Be(1);
        record.GetProperty("company").GetProperty("id").GetInt64().Should().Be(1);
    }

    [Fact]
    public async Task Login_SameNameInAnotherCaseWithSpaces_IsTheSameUserInAnotherSession()
    {
        await using var host = await DemoHost.StartAsync();

        var first = await LoginAsync(host, "Zoë Möller");
        var second = await LoginAsync(host, "  zoë MÖLLER ");

        second.GetProperty("user").ToString().Should().Be(first.GetProperty("user").ToString());
        second.GetProperty("token").GetString().Should().NotBe(first.GetProperty("token").GetString());
        host.Sessions.Records.Should().HaveCount(2);
    }

    [Theory]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"   "}""")]
    [InlineData("""{"name":null}""")]
    [InlineData("""{"name":"a\u0000b"}""")]
    [InlineData("""{"name":"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddX"}""")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("no json")]
    [InlineData("")]
    public async Task Login_UnusableName_IsRefusedInWords(string body)
    {
        await using var host = await DemoHost.StartAsync();

        using var answer = await host.Http.PostAsync("/demo/login", new StringContent(body, Encoding.UTF8, "application/json"));

        answer.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>();
        json.GetProperty("success").GetBoolean().Should().BeFalse();
        json.GetProperty("message").GetString().Should().NotBeNullOrEmpty();
        host.Sessions.Records.Should().BeEmpty();
    }

    [Fact]
    public async Task Login_MoreNamesThanTheDemoHolds_RefusesNewNamesAndKeepsTheOldOnes()
    {
        await using var host = await DemoHost.StartAsync();
        var quantum = host.Get<DemoQuantum>();
        for (var i = 0; i < DemoQuantum.MaxUsers; i++)
        {
            quantum.TryGetOrAddUser($"guest {i}", out _, out _);
        }

        using var refused = await host.Http.PostAsJsonAsync("/demo/login", new { name = "one more" });

        refused.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
        (await LoginAsync(host, "guest 5")).GetProperty("user").GetProperty("name").GetString().Should().Be("guest 5");
    }

    [Fact]
    public async Task Login_MoreThanTheDemoRemembers_EndsTheOldest()
    {
        await using var host = await DemoHost.StartAsync();
        var logins = host.Get<DemoLogins>();
        var first = logins.Enter("Ada")!;
        for (var i = 1; i < DemoLogins.MaxLogins; i++)
        {
            logins.Enter("Alan");
        }

        logins.UserOf(first.Token).Should().NotBeNull();
        logins.Enter("Alan");

        logins.UserOf(first.Token).Should().BeNull();
        host.Sessions.Records.Should().HaveCount(DemoLogins.MaxLogins);
    }

    [Fact]
    public async Task Logout_TokenOfALogin_RemovesTheSessionAndShutsTheApi()
    {
        await using var host = await DemoHost.StartAsync();
        var token = (await LoginAsync(host, "Ada")).GetProperty("token").GetString()!;

        using var answer = await SendAsync(host, HttpMethod.Post, "/demo/logout", token);

        answer.StatusCode.Should().Be(HttpStatusCode.NoContent);
        host.Sessions.Records.Should().BeEmpty();
        using var after = await SendAsync(host, HttpMethod.Get, "/demo/rooms/1/messages", token);
        after.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Rooms_SessionOlderThanADay_AreShut()
    {
        var clock = new FakeTimeProvider();
        await using var host = await DemoHost.StartAsync(clock);
        var token = (await LoginAsync(host, "Ada")).GetProperty("token").GetString()!;

        clock.Advance(TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1));
        using var before = await SendAsync(host, HttpMethod.Get, "/demo/rooms/1/members", token);
        clock.Advance(TimeSpan.FromSeconds(1));
        using var after = await SendAsync(host, HttpMethod.Get, "/demo/rooms/1/members", token);

        before.StatusCode.Should().Be(HttpStatusCode.OK);
        after.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Rooms_PrivateOne_IsThereForItsMembersOnly()
    {
        await using var host = await DemoHost.StartAsync();
        var ada = await LoginAsync(host, "Ada");
        var guest = await LoginAsync(host, "Zoe");

        RoomIds(ada).Should().Equal(1, 2, 3, 4);
        RoomIds(guest).Should().Equal(1, 2, 3);
        using var members = await SendAsync(host, HttpMethod.Get, "/demo/rooms/4/members", ada.GetProperty("token").GetString()!);
        Names((await members.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("members")).Should().Equal("Ada", "Alan", "Grace");
        foreach (var path in new[] { "/demo/rooms/4/members", "/demo/rooms/4/messages", "/demo/rooms/99/messages" })
        {
            using var shut = await SendAsync(host, HttpMethod.Get, path, guest.GetProperty("token").GetString()!);
            shut.StatusCode.Should().Be(HttpStatusCode.Forbidden, path);
        }
    }

    [Fact]
    public async Task Messages_MoreThanAHundred_AreTheNewestOldestFirst()
    {
        await using var host = await DemoHost.StartAsync();
        var token = (await LoginAsync(host, "Ada")).GetProperty("token").GetString()!;
        var quantum = host.Get<DemoQuantum>();
        for (var i = 1; i <= 150; i++)
        {
            quantum.Save(2, 1, $"m{i}", $"body {i}");
        }

        using var answer = await SendAsync(host, HttpMethod.Get, "/demo/rooms/2/messages", token);

        var messages = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("messages").EnumerateArray().ToList();
        messages.Select(m => m.GetProperty("body").GetString()).Should().Equal(Enumerable.Range(51, 100).Select(i => $"body {i}"));
        messages[0].EnumerateObject().Select(member => member.Name).Should()
            .Equal("id", "room_id", "identifier", "from_user_id", "body", "timestamp", "file");
        answer.Headers.CacheControl!.NoStore.Should().BeTrue();
    }

    [Fact]
    public async Task Users_Anybody_SeesTheReadyNamesAndNoTokens()
    {
        await using var host = await DemoHost.StartAsync();
        await LoginAsync(host, "Zoe");

        var text = await host.Http.GetStringAsync("/demo/users");

        Names(JsonSerializer.Deserialize<JsonElement>(text).GetProperty("users")).Should()
            .Equal("Ada", "Alan", "Barbara", "Edsger", "Grace", "Katherine");
        text.Should().NotContain("token");
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/app.js", "text/javascript")]
    [InlineData("/chat-client.js", "text/javascript")]
    [InlineData("/style.css", "text/css")]
    [InlineData("/icon.svg", "image/svg+xml")]
    public async Task Page_EveryFile_CarriesThePolicyAndIsNotKept(string path, string type)
    {
        await using var host = await DemoHost.StartAsync();

        using var answer = await host.Http.GetAsync(path);

        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.Should().Be(type);
        answer.Headers.GetValues("Content-Security-Policy").Single().Should().StartWith("default-src 'none'; script-src 'self';");
        answer.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");
        answer.Headers.CacheControl!.NoCache.Should().BeTrue();
    }

    private static async Task<JsonElement> LoginAsync(DemoHost host, string name)
    {
        using var answer = await host.Http.PostAsJsonAsync("/demo/login", new { name });
        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<HttpResponseMessage> SendAsync(DemoHost host, HttpMethod method, string path, string token)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await host.Http.SendAsync(request);
    }

    private static List<long> RoomIds(JsonElement login) =>
        [.. login.GetProperty("rooms").EnumerateArray().Select(room => room.GetProperty("id").GetInt64())];

    private static List<string?> Names(JsonElement users) =>
        [.. users.EnumerateArray().Select(user => user.GetProperty("name").GetString())];
}
