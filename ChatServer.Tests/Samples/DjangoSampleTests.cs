using System.Globalization;
using System.Net;
using System.Text.Json;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples;

/// <summary>The Django sample keeps Quantum's side of the contract, seen from outside: over HTTP and in Redis.</summary>
public sealed class DjangoSampleTests(QuantumDjango quantum) : IClassFixture<QuantumDjango>
{
    private const long Acme = 1;
    private const long Globex = 2;
    private const long General = 1;
    private const long Plans = 2;

    [Fact]
    public async Task Sample_OwnTests_Pass() =>
        (await quantum.ManageAsync("test", "chat", "quantum")).Should().MatchRegex(@"(?s)Ran \d\d+ tests.*OK");

    [Fact]
    public async Task Login_WritesTheSessionRecord_WithATimeToLive()
    {
        using var anna = await quantum.LogInAsync("anna", Acme);

        anna.Key.Should().Be($"{anna.SessionKey}_{Acme}_{anna.UserId}");
        var record = await anna.RecordAsync(quantum.Redis);
        record.GetProperty("user").GetProperty("id").GetInt64().Should().Be(anna.UserId);
        record.GetProperty("company").GetProperty("id").GetInt64().Should().Be(Acme);
        record.GetProperty("token_key").GetString().Should().HaveLength(40);
        record.TryGetProperty("room_ids", out _).Should().BeFalse("the settings do not ask for it");
        var timeToLive = await quantum.Redis.SendAsync("TTL", anna.Key);
        int.Parse(timeToLive[1..], CultureInfo.InvariantCulture).Should().BeInRange(86_300, 86_400);
    }

    [Fact]
    public async Task Logout_DeletesTheSessionRecord()
    {
        using var anna = await quantum.LogInAsync("anna", Globex);
        (await quantum.Redis.SendAsync("EXISTS", anna.Key)).Should().Be(":1");

        await anna.LogOutAsync();

        (await quantum.Redis.SendAsync("EXISTS", anna.Key)).Should().Be(":0");
    }

    [Fact]
    public async Task Save_ByTwentyAtOnce_MakesOneRowAndOneAnswer()
    {
        using var anna = await quantum.LogInAsync("anna", Acme);
        // All of them find no such row, and then meet at the insert: the database is held shut until they are there.
        var held = quantum.ManageAsync("shell", "-c", """
            import time
            from django.db import connection
            connection.cursor().execute("BEGIN IMMEDIATE")
            open("held", "w").close()
            time.sleep(2)
            """);
        while (!File.Exists(Path.Combine(quantum.Folder, "held")))
        {
            held.IsCompleted.Should().BeFalse("it holds the database for two seconds");
            await Task.Delay(10);
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SaveAsync(anna, "crowd"))).WaitAsync(TimeSpan.FromSeconds(60));

        await held;
        answers.Should().OnlyContain(answer => answer.Status == HttpStatusCode.OK);
        answers.Select(answer => answer.Body.GetRawText()).Distinct().Should().ContainSingle()
            .Which.Should().StartWith("""{"success":true,"message":{"id":""");
        (await quantum.ManageAsync("shell", "-c", "from chat.models import *; print(Message.objects.filter(identifier='crowd').count())"))
            .Trim().Should().Be("1");
    }

    [Fact]
    public async Task Save_KeepsTheContractsAnswer()
    {
        using var anna = await quantum.LogInAsync("anna", Acme);

        var (_, body) = await SaveAsync(anna, "a/1 ü", " hello\n\U0001F600 ");

        var message = body.GetProperty("message");
        message.GetProperty("body").GetString().Should().Be(" hello\n\U0001F600 ");
        message.GetProperty("from_user_id").GetInt64().Should().Be(anna.UserId);
        message.GetProperty("read").GetBoolean().Should().BeFalse();
        message.GetProperty("timestamp").GetString().Should().MatchRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$");
        body.GetProperty("user_ids").GetRawText().Should().Be("[1,2,3]");
        body.GetProperty("message_date").GetString().Should().BeOneOf("Today", "Yesterday");
        body.GetProperty("message_time").GetString().Should().MatchRegex(@"^\d\d:\d\d [AP]M$");
    }

    [Fact]
    public async Task SaveFile_KeepsNameAndBytes_AlsoIfTheNameIsNotAscii()
    {
        using var anna = await quantum.LogInAsync("anna", Acme);
        foreach (var (identifier, bytes) in new[] { ("file-1", "%PDF"u8.ToArray()), ("file-1", "again"u8.ToArray()), ("file-2", []) })
        {
            using var form = new MultipartFormDataContent { { new ByteArrayContent(bytes), "file", "план.pdf" } };
            foreach (var (name, value) in Fields(anna, identifier))
            {
                form.Add(new StringContent(value), name);
            }

            var (status, body) = await anna.CallAsync(quantum.Redis, HttpMethod.Post, "/chat/save_file_to_db/", form);
            body.GetProperty("success").GetBoolean().Should().BeTrue("{0}", body);
            status.Should().Be(HttpStatusCode.OK);
        }

        var kept = await quantum.ManageAsync(
            "shell", "-c",
            "from chat.models import *; [print(m.identifier, ascii(m.file.name), m.file.read()) for m in Message.objects.filter(identifier__startswith='file-')]");
        kept.Should().MatchRegex(@"^file-1 'chat/1/1/\\u043f\\u043b\\u0430\\u043d.*\.pdf' b'%PDF'\s+file-2 '.*' b''\s*$");
    }

    [Fact]
    public async Task Save_OfAnotherUserRoomOrCompany_IsRefusedInWords()
    {
        using var anna = await quantum.LogInAsync("anna", Acme);
        using var carla = await quantum.LogInAsync("carla", Acme);

        await RefusedAsync("The token belongs to another user", carla, ("user_id", $"{anna.UserId}"));
        await RefusedAsync("There is no such room in this company", anna, ("company_id", $"{Globex}"));
        await RefusedAsync("You are not a member of this room", carla, ("room_id", $"{Plans}"));
    }

    [Fact]
    public async Task Save_WithATokenThatNobodyHas_Is401()
    {
        using var anonymous = new HttpClient { BaseAddress = quantum.Url };
        anonymous.DefaultRequestHeaders.Add("Authorization", "Token nobody");
        using var answer = await anonymous.PostAsync("/chat/save_message_to_db/", new FormUrlEncodedContent([]));
        answer.StatusCode.Should().Be(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("anna", Acme, General, Acme, HttpStatusCode.OK, """{"success":true,"user_ids":[1,2,3]}""")]
    [InlineData("carla", Acme, Plans, Acme, HttpStatusCode.OK, """{"success":true,"user_ids":[1,2]}""")]
    [InlineData(
        "dora", Globex, General, Acme, HttpStatusCode.Forbidden, """{"success":false,"message":"You do not belong to this company"}""")]
    [InlineData("dora", Globex, General, Globex, HttpStatusCode.NotFound,
        """{"success":false,"message":"There is no such room in this company"}""")]
    public async Task Members_AreToldWithinTheCompanyOnly(
        string user, long company, long room, long asked, HttpStatusCode status, string body)
    {
        using var login = await quantum.LogInAsync(user, company);

        var answer = await login.CallAsync(quantum.Redis, HttpMethod.Get, $"/chat/rooms/{room}/members/?company_id={asked}");

        answer.Status.Should().Be(status);
        answer.Body.GetRawText().Should().Be(body);
    }

    private async Task RefusedAsync(string words, QuantumLogin login, (string Name, string Value) change)
    {
        var (status, body) = await SaveAsync(login, "refused", change: change);
        status.Should().Be(HttpStatusCode.OK);
        body.GetRawText().Should().Be($$"""{"success":false,"message":"{{words}}"}""");
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> SaveAsync(
        QuantumLogin login, string identifier, string text = "hello", (string Name, string Value)? change = null)
    {
        var fields = Fields(login, identifier);
        fields["message_content"] = text;
        if (change is var (name, value))
        {
            fields[name] = value;
        }

        using var form = new FormUrlEncodedContent(fields);
        return await login.CallAsync(quantum.Redis, HttpMethod.Post, "/chat/save_message_to_db/", form);
    }

    private static Dictionary<string, string> Fields(QuantumLogin login, string identifier) => new()
    {
        ["room_id"] = $"{General}",
        ["user_id"] = $"{login.UserId}",
        ["company_id"] = $"{login.CompanyId}",
        ["identifier"] = identifier,
    };
}
