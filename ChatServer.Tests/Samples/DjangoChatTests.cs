using System.Globalization;
using ChatServer.Endpoints;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples;

/// <summary>The service and the Django sample together: what docs/quantum.md says is what works.</summary>
public sealed class DjangoChatTests(QuantumDjango quantum) : IClassFixture<QuantumDjango>
{
    private const long Acme = 1;
    private const long Plans = 2;

    [Fact]
    public async Task Users_whom_django_logged_in_chat_and_django_saves_what_they_say_until_it_logs_one_out()
    {
        await using var node = await TestNode.StartAsync(
            "Production", ListenMode.Ws,
            ("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", quantum.Redis.Port.ToString(CultureInfo.InvariantCulture)),
            ("QUANTUM_SERVER_URL", quantum.Url.AbsoluteUri), ("ALLOWED_HOSTS", "localhost"));
        using var anna = await quantum.LogInAsync("anna", Acme);
        using var ben = await quantum.LogInAsync("ben", Acme);
        using var carla = await quantum.LogInAsync("carla", Acme);
        await using var annas = await ChatPeer.LoginAsync(node.Url, anna.Token, Plans);
        await using var bens = await ChatPeer.LoginAsync(node.Url, ben.Token, Plans);
        await using var carlas = await ChatPeer.LoginAsync(node.Url, carla.Token);

        await annas.ChatAsync(Plans, "plan-1", "Grüße & plans? + 100 %");
        await annas.NextAsync("ack");
        var received = (await bens.NextAsync("chat"))["messages"]![0]!;
        var saved = await annas.ToldAsync("info_chat");
        await carlas.SendAsync(new { type = "join", room_id = Plans });

        received["body"]!.GetValue<string>().Should().Be("Grüße & plans? + 100 %");
        received["from_user_id"]!.GetValue<long>().Should().Be(anna.UserId);
        saved["discussion_date"]!.GetValue<string>().Should().Be("Today");
        var row = saved["id"]!.GetValue<long>();
        (await bens.ToldAsync("saved"))["saved"]![0]!["id"]!.GetValue<long>().Should().Be(row);
        (await quantum.ManageAsync("shell", "-c", $"from chat.models import Message; print(Message.objects.get(id={row}).body)"))
            .Should().Contain("plans? + 100 %");
        await carlas.ErrorAsync("forbidden");

        await annas.UploadAsync(Plans, "file-1", SentFile.Bytes(200_000), name: "Überblick 表.pdf");
        var fileRow = (await annas.ToldAsync("info_chat")).Number("id");
        (await quantum.ManageAsync(
            "shell", "-c", $"from chat.models import Message; f = Message.objects.get(id={fileRow}).file; print(f.name, f.size)"))
            .Should().Contain("表").And.Contain(" 200000");

        await ben.LogOutAsync();

        (await bens.Closed).Should().Be((4503, "session_ended"));
        await using var again = await ChatPeer.OpenAsync(node.Url);
        await again.SendTextAsync(ben.Token);
        (await again.Closed).Should().Be((4500, "invalid_token"));
    }
}
