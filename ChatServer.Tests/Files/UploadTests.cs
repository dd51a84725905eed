using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files;

/// <summary>Files over the WebSocket, end to end, with a real Redis.</summary>
public sealed class UploadTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private static readonly HttpClient Http = new() { Timeout = ChatPeer.Patience };

    [Fact]
    public async Task A_file_comes_to_the_rooms_other_connections_and_can_be_loaded()
    {
        var bytes = SentFile.Bytes(300_000);
        await using var ada = await chat.LoginAsync(1, 1000);
        await using var adasTab = await chat.LoginAsync(1, 1000);
        await using var ben = await chat.LoginAsync(2, 1000);
        var first = await ada.SayAsync(1000, "before");

        var ack = await ada.UploadAsync(1000, "f1", bytes);

        ack.Flag("success").Should().BeTrue();
        ack.Number("room_id").Should().Be(1000);
        ack.Text("identifier").Should().Be("f1");
        ack.Number("seq").Should().Be(first.Number("seq") + 1);
        foreach (var peer in new[] { ben, adasTab })
        {
            var frame = await peer.FindAsync("file");
            frame.Flag("success").Should().BeTrue();
            var message = frame.Messages().Should().ContainSingle().Which;
            message.Select(member => member.Key).Should().BeEquivalentTo(
                ["type", "room_id", "seq", "identifier", "from_user_id", "company_id", "file", "timestamp"]);
            message.Type().Should().Be("file");
            message.Number("seq").Should().Be(ack.Number("seq"));
            message.Number("from_user_id").Should().Be(1);
            message.Number("company_id").Should().Be(TestSessions.Company);
            message.Text("timestamp").Should().Be(ack.Text("timestamp"));
            var file = message["file"]!.AsObject();
            file.Select(member => member.Key).Should().BeEquivalentTo(["id", "name", "content_type", "size", "sha256", "url"]);
            file.Text("name").Should().Be("plan.pdf");
            file.Text("content_type").Should().Be("application/pdf");
            file.Number("size").Should().Be(bytes.Length);
            file.Text("sha256").Should().Be(SentFile.Sha256(bytes));
            file.Text("url").Should().Be("/files/" + file.Text("id"));
            file.Text("id")!.Split('-', 2)[1].Should().HaveLength(24, "that is 144 bits");
            (await Http.GetByteArrayAsync(chat.Node.UrlOf(file))).Should().Equal(bytes);
        }

        (await ada.DrainAsync()).Should().BeEmpty("the connection that sends gets its ack and no copy");
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(65_537, 4093)]
    [InlineData(131_072, 131_072)]
    [InlineData(131_071, 7919)]
    [InlineData(131_073, 1_000)]
    [InlineData(262_144, 1_048_576)]
    [InlineData(1_500_000, 1_048_576)]
    [InlineData(700_001, 99_991)]
    public async Task Frames_may_be_of_any_size(int size, int frame)
    {
        var bytes = SentFile.Bytes(size, seed: size);
        var room = 1010 + size;
        await using var ada = await chat.LoginAsync(1, room);
        await using var ben = await chat.LoginAsync(2, room);

        await ada.UploadAsync(room, "f1", bytes, frame);

        var file = await ben.FileAsync();
        file.Text("sha256").Should().Be(SentFile.Sha256(bytes));
        (await Http.GetByteArrayAsync(chat.Node.UrlOf(file))).Should().Equal(bytes);
    }
}
