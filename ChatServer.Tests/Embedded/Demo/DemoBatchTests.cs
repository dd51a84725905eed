using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ChatServer.Embedded.Demo;
using ChatServer.Tests.Embedded.Demo.Support;

namespace ChatServer.Tests.Embedded.Demo;

/// <summary>Many messages in one call (contract 3.4), and the token that it comes with.</summary>
public sealed class DemoBatchTests
{
    private const string ServiceToken = "service";
    private const string One = "/chat/save_message_to_db/";
    private const string Many = "/chat/save_messages_to_db/";

    [Fact]
    public async Task SaveMany_EachIsAnsweredAsItWouldBeAlone()
    {
        await using var host = await DemoHost.StartAsync(serviceToken: ServiceToken);

        using var answer = await SaveManyAsync(
            host, ServiceToken, Message("a1"), Message("a1", "again"), Message("b1", user: 2), Message("c1", user: 3, room: 4),
            Message("d1", user: 999), Message("e1", room: 99), Message("f1", company: 2), Message("g1", ""), Message(""),
            Message("h1", new('x', DemoQuantum.MaxBodyLength + 1)), Message("i1", type: "song"), Message("j1"));
        using var single = await SaveAsync(host, ServiceToken, "j1");

        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        var results = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("results").EnumerateArray().ToArray();
        results.Select(result => result.GetProperty("success").GetBoolean())
            .Should().Equal(true, true, true, false, false, false, false, false, false, false, false, true);
        results[0].ToString().Should().Be(results[1].ToString());
        results[3].ToString().Should().Be("""{"success":false,"message":"You are not a member of this room."}""");
        results[^1].ToString().Should().Be(await single.Content.ReadAsStringAsync());
        host.Get<DemoQuantum>().Newest(2, 100)!.Select(message => (message.Identifier, message.FromUserId))
            .Should().Equal(("a1", 1), ("b1", 2), ("j1", 1));
    }

    [Fact]
    public async Task SaveMany_NoBatch_Is400()
    {
        await using var host = await DemoHost.StartAsync(serviceToken: ServiceToken);

        foreach (var body in new[] { "", "[]", "{}", """{"messages":[]}""", """{"messages":[{"room_id":"x"}]}""" })
        {
            using var answer = await PostAsync(host, ServiceToken, Many, new StringContent(body));
            answer.StatusCode.Should().Be(HttpStatusCode.BadRequest, "{0}", body);
        }
    }

    [Fact]
    public async Task SaveMany_WithAUsersTokenOrNone_IsRefused()
    {
        await using var host = await DemoHost.StartAsync(serviceToken: ServiceToken);
        host.Get<DemoQuantum>().TryGetOrAddUser("Ada", out _, out var ada).Should().BeTrue();

        (await StatusAsync(SaveManyAsync(host, ada!, Message("a1")))).Should().Be(HttpStatusCode.Forbidden);
        (await StatusAsync(SaveManyAsync(host, "", Message("a1")))).Should().Be(HttpStatusCode.Unauthorized);
        (await StatusAsync(SaveManyAsync(host, "nobody", Message("a1")))).Should().Be(HttpStatusCode.Unauthorized);
        (await StatusAsync(SaveAsync(host, ada!, "a1", user: 2))).Should().Be(HttpStatusCode.Forbidden);

        host.Get<DemoQuantum>().Newest(2, 100).Should().BeEmpty();
    }

    [Fact]
    public async Task SaveMany_TheServiceHasNoToken_IsRefused()
    {
        await using var host = await DemoHost.StartAsync();

        (await StatusAsync(SaveManyAsync(host, "", Message("a1")))).Should().Be(HttpStatusCode.Unauthorized);
        (await StatusAsync(SaveManyAsync(host, ServiceToken, Message("a1")))).Should().Be(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Save_WithTheServicesToken_IsTheNamedUsers()
    {
        await using var host = await DemoHost.StartAsync(serviceToken: ServiceToken);

        (await StatusAsync(SaveAsync(host, ServiceToken, "a1", user: 2))).Should().Be(HttpStatusCode.OK);
        (await StatusAsync(SaveAsync(host, ServiceToken, "a2", user: 999))).Should().Be(HttpStatusCode.Forbidden);

        host.Get<DemoQuantum>().Newest(2, 100).Should().ContainSingle().Which.FromUserId.Should().Be(2);
    }

    private static object Message(
        string identifier, string body = "hello", long user = 1, long room = 2, long company = 1, string type = "chat") =>
        new { type, room_id = room, user_id = user, company_id = company, identifier, message_content = body };

    private static async Task<HttpStatusCode> StatusAsync(Task<HttpResponseMessage> answering)
    {
        using var answer = await answering;
        return answer.StatusCode;
    }

    private static Task<HttpResponseMessage> SaveManyAsync(DemoHost host, string token, params object[] messages) =>
        PostAsync(host, token, Many, JsonContent.Create(new { messages }));

    private static Task<HttpResponseMessage> SaveAsync(DemoHost host, string token, string identifier, long user = 1) =>
        PostAsync(host, token, One, new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["room_id"] = "2", ["user_id"] = $"{user}", ["company_id"] = "1", ["identifier"] = identifier, ["message_content"] = "hello",
        }));

    private static async Task<HttpResponseMessage> PostAsync(DemoHost host, string token, string path, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, DemoQuantum.BasePath + path) { Content = content };
        request.Headers.Authorization = token.Length == 0 ? null : new AuthenticationHeaderValue("Token", token);
        return await host.Http.SendAsync(request);
    }
}
