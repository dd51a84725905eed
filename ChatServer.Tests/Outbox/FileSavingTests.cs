using ChatServer.Operations;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.Outbox;

/// <summary>Files on their way to Quantum.</summary>
public sealed class FileSavingTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(131_072)]
    [InlineData(1_000_000)]
    public async Task Quantum_gets_the_fields_headers_and_bytes_of_its_API_with_a_length(int size)
    {
        var bytes = SentFile.Bytes(size);
        await using var ada = await chat.LoginAsync(1, 1100);
        await ada.UploadAsync(1100, $"f 1/ż{size}", bytes, name: "Überblick \"A\" 表.png", contentType: "image/png");
        var info = await ada.ToldAsync("info_chat");

        info.Text("identifier").Should().Be($"f 1/ż{size}");
        var call = chat.Quantum.Calls.Should().ContainSingle(call => call.Identifier == $"f 1/ż{size}").Which;
        call.Should().BeEquivalentTo(
            new SaveCall(TestSessions.Company, 1100, 1, $"f 1/ż{size}", "", "Token rest-1", $"3:1100:1:f%201%2F%C5%BC{size}", default),
            options => options.Excluding(it => it.At).Excluding(it => it.File));
        call.File!.Name.Should()
            .Be("Überblick \"A\" 表.png".Replace("\"", "%22", StringComparison.Ordinal), "that is how browsers write it");
        call.File.ContentType.Should().Be("image/png");
        call.File.Bytes.Should().Equal(bytes);
        call.File.ContentLength.Should().BeGreaterThan(size, "Django takes a body without a length for empty");
    }

    [Fact]
    public async Task A_file_keeps_its_place_among_the_rooms_messages_and_is_tried_again()
    {
        await using var own = await ChatFixture.StartAsync();
        own.Quantum.Instead = (call, context) =>
        {
            var fails = call.Identifier == "f2" && own.Quantum.Calls.Count(other => other.Identifier == "f2") < 3;
            context.Response.StatusCode = fails ? 500 : 200;
            return Task.FromResult(fails);
        };
        var bytes = SentFile.Bytes(200_000);
        await using var ada = await own.LoginAsync(1, 1110);
        await ada.SayAsync(1110, "m1");
        await ada.UploadAsync(1110, "f2", bytes);
        await ada.SayAsync(1110, "m3");

        var saved = await own.Quantum.WaitForSavedAsync(3);

        saved.Select(call => call.Identifier).Should().Equal("m1", "f2", "m3");
        saved[1].File!.Bytes.Should().Equal(bytes);
        own.Quantum.Calls.Count(call => call.Identifier == "f2").Should().Be(3);
    }

    [Fact]
    public async Task A_refused_file_is_a_dead_letter_that_can_be_retried_while_it_is_held_and_says_so_when_it_is_not()
    {
        await using var own = await ChatFixture.StartAsync();
        own.Quantum.Instead = async (call, context) =>
        {
            await Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(
                context.Response, """{"success":false,"message":"no pictures"}""");
            return true;
        };
        var bytes = SentFile.Bytes(150_000);
        await using var ada = await own.LoginAsync(1, 1120);
        await using var ben = await own.LoginAsync(2, 1120);
        await ada.UploadAsync(1120, "held", bytes);
        await ada.UploadAsync(1120, "gone", bytes);
        (await ada.ToldAsync("info")).Text("message").Should().Be("no pictures");
        await ada.ToldAsync("info");
        await ben.FileAsync();
        FileId.TryParse((await ben.FileAsync()).Text("id")!, out var id).Should().BeTrue();
        (await own.Connection.GetDatabase().KeyDeleteAsync(RedisKeys.File(id))).Should().BeTrue();
        own.Quantum.Instead = (_, _) => Task.FromResult(false);

        (await RetryAsync(own)).Should().Be("2 retried\n");

        (await own.Quantum.WaitForSavedAsync(1)).Should().ContainSingle().Which.File!.Bytes.Should().Equal(bytes);
        var told = await ada.ToldAsync("info");
        told.Text("code").Should().Be("not_saved");
        told.Text("identifier").Should().Be("gone");
        told.Text("message").Should().Contain("no longer held");
        own.Quantum.Saved.Should().ContainSingle();
    }

    private static async Task<string> RetryAsync(ChatFixture chat)
    {
        var output = new StringWriter { NewLine = "\n" };
        await DeadLettersCommand.RunAsync(chat.Node.Services.GetRequiredService<RedisOptions>(), ["retry"], output);
        return output.ToString();
    }
}
