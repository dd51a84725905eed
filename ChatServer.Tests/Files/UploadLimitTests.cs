using System.Net.WebSockets;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files;

/// <summary>What a file may be, and what becomes of one that is not what it was said to be.</summary>
public sealed class UploadLimitTests(LimitedNode limited) : IClassFixture<LimitedNode>
{
    private const int Limit = LimitedNode.MaxFileBytes;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_may_be_empty_with_or_without_a_frame(bool withFrame)
    {
        var room = withFrame ? 1200 : 1201;
        await using var ada = await limited.LoginAsync(1, room);
        await using var ben = await limited.LoginAsync(2, room);

        await ada.BeginAsync(room, "f1", 0);
        if (withFrame)
        {
            await ada.SendBytesAsync([], WebSocketMessageType.Binary);
        }

        (await ada.NextAsync("ack")).Text("identifier").Should().Be("f1");
        var file = await ben.FileAsync();
        file.Number("size").Should().Be(0);
        file.Text("sha256").Should().Be("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        using var http = new HttpClient();
        (await http.GetByteArrayAsync(limited.Node.UrlOf(file))).Should().BeEmpty();
        (await ada.DrainAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task The_limit_itself_is_allowed_and_one_byte_more_is_not()
    {
        await using var ada = await limited.LoginAsync(3, 1202);
        await ada.UploadAsync(1202, "f1", SentFile.Bytes(Limit));

        await ada.AnnounceAsync(1202, "f2", Limit + 1);

        var error = await ada.ErrorAsync("too_large");
        error.Number("room_id").Should().Be(1202);
        error.Text("identifier").Should().Be("f2");
        error.Text("message").Should().Contain($"{Limit}");
    }

    [Theory]
    [InlineData(100, 101, 101)]
    [InlineData(100, 200, 60)]
    [InlineData(140_000, 140_001, 1_001)]
    [InlineData(131_072, 131_073, 200_000)]
    public async Task More_bytes_than_said_are_rejected_once_and_nothing_is_kept(int said, int sent, int frame)
    {
        var room = 1210 + sent;
        var before = limited.Chat.FileKeys().Count;
        await using var ada = await limited.LoginAsync(4, room);
        await using var ben = await limited.LoginAsync(5, room);

        await ada.BeginAsync(room, "f1", said);
        await ada.SendAsync(SentFile.Bytes(sent), frame);
        await ada.SendAsync(new byte[50_000], 1_000);

        (await ada.ErrorAsync("file_rejected")).Text("identifier").Should().Be("f1");
        await limited.Chat.FilesAsync(before);
        (await ada.DrainAsync()).Should().BeEmpty("what else comes is passed over");
        (await ada.SayAsync(room, "after")).Number("seq").Should().Be(1, "the connection goes on and no file took a place");
        (await ben.UntilMessageAsync("after")).Should().ContainSingle();
    }

    [Fact]
    public async Task Bytes_behind_a_complete_file_belong_to_none_and_cost_one_error()
    {
        await using var ada = await limited.LoginAsync(6, 1220);
        await ada.UploadAsync(1220, "f1", SentFile.Bytes(100));

        await ada.SendAsync(new byte[5_000], 100);

        await ada.ErrorAsync("bad_frame");
        (await ada.DrainAsync()).Should().BeEmpty();
        await ada.UploadAsync(1220, "f2", SentFile.Bytes(100));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(200_000)]
    public async Task Silence_ends_an_upload_and_nothing_is_kept(int sent)
    {
        var room = 1230 + sent;
        var before = limited.Chat.FileKeys().Count;
        await using var ada = await limited.LoginAsync(7, room);
        await ada.BeginAsync(room, "f1", 250_000);
        await ada.SendAsync(SentFile.Bytes(sent), 50_000);
        using var http = new HttpClient();
        (await http.GetStringAsync(new Uri(limited.Node.Http, "/metrics"))).Should().Contain("\nchatserver_uploads 1\n");

        (await ada.ErrorAsync("file_incomplete")).Text("identifier").Should().Be("f1");

        await limited.Chat.FilesAsync(before);
        await ada.SendAsync(new byte[50_000], 10_000);
        (await ada.DrainAsync()).Should().BeEmpty("late bytes are passed over");
        await ada.UploadAsync(room, "f1", SentFile.Bytes(250_000));
    }

    [Fact]
    public async Task A_sender_who_is_slow_but_not_silent_is_waited_for()
    {
        await using var ada = await limited.LoginAsync(8, 1240);
        await ada.BeginAsync(1240, "f1", 8);
        for (var number = 0; number < 8; number++)
        {
            await Task.Delay(500);
            await ada.SendAsync([(byte)number], 1);
        }

        await ada.NextAsync("ack");
    }

    [Theory]
    [InlineData("setup.exe", "application/octet-stream")]
    [InlineData("SETUP.EXE", "image/png")]
    [InlineData("page.txt", "text/html")]
    [InlineData("page.txt", "Text/HTML; charset=utf-8")]
    public async Task Blocked_types_are_rejected(string name, string contentType)
    {
        await using var ada = await limited.LoginAsync(9, 1250);

        await ada.AnnounceAsync(1250, "f1", 100, name, contentType);
        await ada.SendAsync(new byte[100], 10);

        await ada.ErrorAsync("file_rejected");
        (await ada.DrainAsync()).Should().BeEmpty("who doesn't wait for the go-ahead is told once");
    }

    [Fact]
    public async Task A_user_may_send_so_much_an_hour_and_what_did_not_come_does_not_count()
    {
        await using var ada = await limited.LoginAsync(10, 1260);
        for (var number = 0; number < 10; number++)
        {
            await ada.BeginAsync(1260, "cancelled", Limit);
            await ada.SendAsync(new { type = "cancel", identifier = "cancelled" });
            await ada.ErrorAsync("file_incomplete");
        }

        for (var number = 0; number < LimitedNode.Quota / Limit; number++)
        {
            await ada.UploadAsync(1260, $"f{number}", SentFile.Bytes(Limit));
        }

        await ada.AnnounceAsync(1260, "more", Limit);
        (await ada.ErrorAsync("file_rejected")).Text("message").Should().Contain($"{LimitedNode.Quota}");
        await using var ben = await limited.LoginAsync(11, 1260);
        await ben.UploadAsync(1260, "other", SentFile.Bytes(Limit));
    }

    [Theory]
    [InlineData("""{"type":"file","room_id":1270,"name":"a","size":1}""", "identifier")]
    [InlineData("""{"type":"file","room_id":1270,"identifier":"i","size":1}""", "name")]
    [InlineData("""{"type":"file","room_id":1270,"identifier":"i","name":"","size":1}""", "name")]
    [InlineData("""{"type":"file","room_id":1270,"identifier":"i","name":7,"size":1}""", "name")]
    [InlineData("""{"type":"file","room_id":1270,"identifier":"i","name":"a"}""", "size")]
    [InlineData("""{"type":"file","room_id":1270,"identifier":"i","name":"a","size":-1}""", "size")]
    [InlineData("""{"type":"file","room_id":1270,"identifier":"i","name":"a","size":1.5}""", "size")]
    [InlineData("""{"type":"file","room_id":1270,"identifier":"i","name":"a","size":"1"}""", "size")]
    [InlineData("""{"type":"file","room_id":1270,"identifier":"i","name":"a","size":1,"content_type":"a picture"}""", "content_type")]
    [InlineData("""{"type":"file","identifier":"i","name":"a","size":1}""", "room_id")]
    public async Task An_announcement_that_lacks_something_is_a_bad_frame(string frame, string lacks)
    {
        await using var ada = await limited.LoginAsync(12, 1270);

        await ada.SendTextAsync(frame);

        (await ada.ErrorAsync("bad_frame")).Text("message").Should().Contain(lacks);
    }

    [Fact]
    public async Task A_file_for_a_room_that_one_is_not_in_is_refused_and_so_is_one_whose_sender_leaves()
    {
        var before = limited.Chat.FileKeys().Count;
        await using var ada = await limited.LoginAsync(13, 1280);
        await ada.AnnounceAsync(1281, "f1", 100);
        await ada.ErrorAsync("not_in_room");

        await ada.BeginAsync(1280, "f2", 200_000);
        await ada.SendAsync(SentFile.Bytes(150_000), 50_000);
        await ada.SendAsync(new { type = "leave", room_id = 1280 });
        await ada.NextAsync("left");
        await ada.SendAsync(SentFile.Bytes(50_000), 50_000);

        (await ada.ErrorAsync("not_in_room")).Text("identifier").Should().Be("f2");
        await limited.Chat.FilesAsync(before);
    }
}
