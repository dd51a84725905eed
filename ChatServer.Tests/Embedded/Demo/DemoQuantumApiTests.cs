using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ChatServer.Embedded.Demo;
using ChatServer.Tests.Embedded.Demo.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Embedded.Demo;

/// <summary>The contract's part 3, as the chat service will call it.</summary>
public sealed class DemoQuantumApiTests
{
    private static readonly DateTimeOffset Morning = new(2026, 3, 9, 10, 2, 5, 250, TimeSpan.Zero);

    [Fact]
    public async Task SaveMessage_Member_AnswersTheContractsJson()
    {
        await using var host = await DemoHost.StartAsync(new FakeTimeProvider(Morning));
        var token = TokenKey(host, "Ada");

        using var answer = await SaveAsync(host, token, Form(identifier: "a1", body: "Grüße & 100 %"));

        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        var json = await answer.Content.ReadFromJsonAsync<JsonElement>();
        var id = json.GetProperty("message").GetProperty("id").GetInt64();
        json.ToString().Replace("\\u00FC", "ü", StringComparison.Ordinal).Replace("\\u00DF", "ß", StringComparison.Ordinal)
            .Replace("\\u0026", "&", StringComparison.Ordinal).Should().Be(
            $$"""
            {"success":true,"message":{"id":{{id}},"timestamp":"2026-03-09T10:02:05.25+00:00","body":"Grüße & 100 %","from_user_id":1,"read":false},"user_ids":[1,2,3,4,5,6],"message_date":"Today","message_time":"10:02 AM"}
            """);
    }

    [Fact]
    public async Task SaveMessage_SameIdentifierAgain_GivesTheFirstRow()
    {
        var clock = new FakeTimeProvider(Morning);
        await using var host = await DemoHost.StartAsync(clock);
        var token = TokenKey(host, "Ada");

        using var first = await SaveAsync(host, token, Form(identifier: "a1", body: "once"));
        clock.Advance(TimeSpan.FromDays(1));
        using var again = await SaveAsync(host, token, Form(identifier: "a1", body: "once"));

        var firstMessage = (await first.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("message").ToString();
        var second = await again.Content.ReadFromJsonAsync<JsonElement>();
        second.GetProperty("message").ToString().Should().Be(firstMessage);
        second.GetProperty("message_date").GetString().Should().Be("Mar 9, 2026");
        host.Get<DemoQuantum>().Newest(2, 100).Should().ContainSingle();
    }

    [Fact]
    public async Task SaveMessage_SameIdentifierOfAnotherUserOrRoom_IsAnotherRow()
    {
        await using var host = await DemoHost.StartAsync();
        using var a = await SaveAsync(host, TokenKey(host, "Ada"), Form(identifier: "x", body: "a"));
        using var b = await SaveAsync(host, TokenKey(host, "Alan"), Form(identifier: "x", body: "b", userId: 2));
        using var c = await SaveAsync(host, TokenKey(host, "Ada"), Form(identifier: "x", body: "c", roomId: 3));

        host.Get<DemoQuantum>().Newest(2, 100)!.Select(m => m.Body).Should().Equal("a", "b");
        host.Get<DemoQuantum>().Newest(3, 100)!.Select(m => m.Body).Should().Equal("c");
    }

    [Fact]
    public async Task SaveMessage_NoOrWrongToken_Is401()
    {
        await using var host = await DemoHost.StartAsync();

        using var without = await SaveAsync(host, token: null, Form());
        using var wrong = await SaveAsync(host, "0123456789", Form());

        without.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        wrong.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        host.Get<DemoQuantum>().Newest(2, 100).Should().BeEmpty();
    }

    [Fact]
    public async Task SaveMessage_ForAnotherUserOrCompanyOrAForeignRoom_Is403()
    {
        await using var host = await DemoHost.StartAsync();
        var barbara = TokenKey(host, "Barbara");

        using var otherUser = await SaveAsync(host, barbara, Form(userId: 1));
        using var otherCompany = await SaveAsync(host, barbara, Form(userId: 3, companyId: 2));
        using var foreignRoom = await SaveAsync(host, barbara, Form(userId: 3, roomId: 4));

        otherUser.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        otherCompany.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        foreignRoom.StatusCode.Should().Be(HttpStatusCode.Forbidden);
        host.Get<DemoQuantum>().Newest(2, 100).Should().BeEmpty();
    }

    [Theory]
    [InlineData("", "hello")]
    [InlineData("a1", "")]
    public async Task SaveMessage_FieldsMissing_Is400(string identifier, string body)
    {
        await using var host = await DemoHost.StartAsync();

        using var answer = await SaveAsync(host, TokenKey(host, "Ada"), Form(identifier: identifier, body: body));

        answer.StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task SaveMessage_BodyTooLong_IsRefusedForGood()
    {
        await using var host = await DemoHost.StartAsync();
        var longest = new string('x', DemoQuantum.MaxBodyLength);

        using var fits = await SaveAsync(host, TokenKey(host, "Ada"), Form(identifier: "a1", body: longest));
        using var refused = await SaveAsync(host, TokenKey(host, "Ada"), Form(identifier: "a2", body: longest + "x"));

        (await fits.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("success").GetBoolean().Should().BeTrue();
        refused.StatusCode.Should().Be(HttpStatusCode.OK);
        (await refused.Content.ReadAsStringAsync()).Should()
            .Be("""{"success":false,"message":"A message has at most 4,000 characters."}""");
    }

    [Fact]
    public async Task SaveFile_SameIdentifierTwice_KeepsTheFirstAndServesIt()
    {
        await using var host = await DemoHost.StartAsync();
        using var first = await SaveFileAsync(host, "Ada", "plän.txt", "one");
        using var again = await SaveFileAsync(host, "Ada", "other.txt", "two");

        (await first.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("message").ToString().Should().Be(
            (await again.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("message").ToString());
        var file = host.Get<DemoQuantum>().Newest(2, 100).Should().ContainSingle().Which.File!;
        (file.Name, file.ContentType, file.Size).Should().Be(("plän.txt", "text/plain", 3L));
        using var loaded = await host.Http.GetAsync(file.Url);
        (await loaded.Content.ReadAsStringAsync()).Should().Be("one");
        loaded.Content.Headers.ContentDisposition!.FileNameStar.Should().Be("plän.txt");
        loaded.Headers.GetValues("Content-Security-Policy").Single().Should().StartWith("sandbox");
    }

    [Fact]
    public async Task Members_RoomOfTheCompany_AreItsUserIds()
    {
        await using var host = await DemoHost.StartAsync();
        var token = TokenKey(host, "Ada");

        (await MembersAsync(host, token, "4", "1")).Should().Be((HttpStatusCode.OK, """{"success":true,"user_ids":[1,2,5]}"""));
        (await MembersAsync(host, token, "1", "1")).Should().Be((HttpStatusCode.OK, """{"success":true,"user_ids":[1,2,3,4,5,6]}"""));
        (await MembersAsync(host, token, "99", "1")).Status.Should().Be(HttpStatusCode.NotFound);
        (await MembersAsync(host, token, "1", "2")).Status.Should().Be(HttpStatusCode.NotFound);
        (await MembersAsync(host, "wrong", "1", "1")).Status.Should().Be(HttpStatusCode.Unauthorized);
    }

    private static string TokenKey(DemoHost host, string name)
    {
        host.Get<DemoQuantum>().TryGetOrAddUser(name, out _, out var tokenKey).Should().BeTrue();
        return tokenKey!;
    }

    private static Dictionary<string, string> Form(
        long roomId = 2, long userId = 1, long companyId = 1, string identifier = "a1", string body = "hello") => new()
        {
            ["room_id"] = $"{roomId}",
            ["user_id"] = $"{userId}",
            ["company_id"] = $"{companyId}",
            ["identifier"] = identifier,
            ["message_content"] = body,
        };

    private static async Task<HttpResponseMessage> SaveAsync(DemoHost host, string? token, Dictionary<string, string> form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, DemoQuantum.BasePath + "/chat/save_message_to_db/");
        request.Content = new FormUrlEncodedContent(form);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Token", token);
        return await host.Http.SendAsync(request);
    }

    private static async Task<HttpResponseMessage> SaveFileAsync(DemoHost host, string user, string name, string content)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (field, value) in Form())
        {
            form.Add(new StringContent(value), field);
        }

        form.Add(new StringContent(content, new MediaTypeHeaderValue("text/plain")), "file", name);
        using var request = new HttpRequestMessage(HttpMethod.Post, DemoQuantum.BasePath + "/chat/save_file_to_db/") { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue("Token", TokenKey(host, user));
        return await host.Http.SendAsync(request);
    }

    private static async Task<(HttpStatusCode Status, string Body)> MembersAsync(DemoHost host, string token, string room, string company)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, $"{DemoQuantum.BasePath}/chat/rooms/{room}/members/?company_id={company}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Token", token);
        using var answer = await host.Http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
