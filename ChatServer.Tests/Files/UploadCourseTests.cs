using System.Net.WebSockets;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files;

/// <summary>What may happen on the way: messages in between, a second file, a cancellation, a cut, the same file again.</summary>
public sealed class UploadCourseTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    private static readonly HttpClient Http = new() { Timeout = ChatPeer.Patience };

    private ChatFixture Chat => nodes.Chat;

    [Fact]
    public async Task Messages_pass_between_a_files_frames_and_the_file_gets_its_place_with_its_last_byte()
    {
        var bytes = SentFile.Bytes(400_000);
        await using var ada = await Chat.LoginAsync(1, 1300);
        await using var ben = await Chat.LoginAsync(2, 1300);
        await ada.BeginAsync(1300, "f1", bytes.Length);
        for (var part = 0; part < 4; part++)
        {
            await ada.SendAsync(bytes[(part * 100_000)..((part + 1) * 100_000)], 30_000);
            if (part < 3)
            {
                await ada.ChatAsync(1300, $"m{part}", "hello");
            }
        }

        var frames = await ada.UntilAsync(frame => frame.Text("identifier") == "f1" && frame.Type() == "ack");

        frames.Where(frame => frame.Type() == "ack").Select(frame => (frame.Text("identifier"), frame.Number("seq"))).Should().Equal(
            ("m0", 1), ("m1", 2), ("m2", 3), ("f1", 4));
        frames.Where(frame => frame.Type() == "progress").Select(frame => frame.Number("received")).Should().Equal(262_144);
        (await ben.UntilAsync(frame => frame.Type() == "file")).SelectMany(frame => frame.Messages())
            .Select(message => message.Number("seq"))
            .Should().Equal(1, 2, 3, 4);
    }

    [Fact]
    public async Task Progress_is_told_at_most_every_256_KiB()
    {
        await using var ada = await Chat.LoginAsync(1, 1301);
        await ada.BeginAsync(1301, "f1", 3_000_000);
        await ada.SendAsync(SentFile.Bytes(3_000_000), 1_000_000);

        var told = (await ada.UntilAsync(frame => frame.Type() == "ack")).Where(frame => frame.Type() == "progress").ToList();

        told.Should().OnlyContain(frame => frame.Text("identifier") == "f1");
        told.Select(frame => frame.Number("received")).Should().Equal(Enumerable.Range(1, 11).Select(number => number * 262_144L));
    }

    [Fact]
    public async Task One_file_at_a_time_and_a_second_one_does_not_disturb_the_first()
    {
        var bytes = SentFile.Bytes(1000);
        await using var ada = await Chat.LoginAsync(1, 1302);
        await using var ben = await Chat.LoginAsync(2, 1302);
        await ada.BeginAsync(1302, "f1", bytes.Length);
        await ada.SendAsync(bytes[..500], 500);

        await ada.AnnounceAsync(1302, "f2", 10);
        (await ada.ErrorAsync("file_rejected")).Text("identifier").Should().Be("f2");
        await ada.SendAsync(bytes[500..], 500);

        (await ada.NextAsync("ack")).Text("identifier").Should().Be("f1");
        (await ben.FileAsync()).Text("sha256").Should().Be(SentFile.Sha256(bytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(300_000)]
    public async Task A_cancelled_file_leaves_nothing_and_its_late_bytes_cost_nothing(int sent)
    {
        var room = 1310 + sent;
        var before = Chat.FileKeys().Count;
        await using var ada = await Chat.LoginAsync(1, room);
        await using var ben = await Chat.LoginAsync(2, room);
        await ada.BeginAsync(room, "f1", 500_000);
        await ada.SendAsync(SentFile.Bytes(sent), 100_000);

        await ada.SendAsync(new { type = "cancel", identifier = "other" });
        await ada.SendAsync(new { type = "cancel", identifier = "f1" });
        await ada.SendAsync(SentFile.Bytes(100_000), 1_000);

        (await ada.UntilAsync(frame => frame.Text("code") == "file_incomplete")).Where(frame => frame.Type() != "progress")
            .Should().ContainSingle().Which.Text("identifier").Should().Be("f1");
        (await ada.DrainAsync()).Should().BeEmpty();
        await Chat.FilesAsync(before);
        await ada.UploadAsync(room, "f1", SentFile.Bytes(10));
        await ada.SendAsync(new { type = "cancel", identifier = "f1" });
        (await ada.DrainAsync()).Should().BeEmpty("too late, and its ack is the answer");
        (await ben.FileAsync()).Number("size").Should().Be(10);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(131_072)]
    [InlineData(299_999)]
    public async Task A_cut_leaves_nothing_and_the_same_identifier_begins_anew(int sent)
    {
        var room = 1320 + sent;
        var bytes = SentFile.Bytes(300_000);
        var before = Chat.FileKeys().Count;
        await using var ben = await Chat.LoginAsync(2, room);
        var ada = await Chat.LoginAsync(1, room);
        await ada.BeginAsync(room, "f1", bytes.Length);
        await ada.SendAsync(bytes[..sent], 50_000);
        if (sent > 150_000)
        {
            await Chat.FilesAsync(before + 1);
        }

        ada.Socket.Abort();
        await ada.DisposeAsync();
        await Chat.FilesAsync(before);

        await using var again = await Chat.LoginAsync(1, room);
        (await again.UploadAsync(room, "f1", bytes)).Number("seq").Should().Be(1);
        (await ben.FileAsync()).Text("sha256").Should().Be(SentFile.Sha256(bytes));
    }

    [Fact]
    public async Task A_file_that_was_accepted_is_acked_again_without_sending_a_byte_on_any_node()
    {
        await using var ada = await Chat.LoginAsync(1, 1330);
        await using var ben = await Chat.LoginAsync(2, 1330);
        var first = await ada.UploadAsync(1330, "f1", SentFile.Bytes(1000));
        await ben.FileAsync();
        await using var elsewhere = await ChatPeer.LoginAsync(nodes.Second.Url, await Chat.Sessions.LoginAsync(1), 1330);

        foreach (var peer in new[] { ada, elsewhere })
        {
            await peer.AnnounceAsync(1330, "f1", 1000);
            var ack = await peer.NextAsync("ack");
            ack.Number("seq").Should().Be(first.Number("seq"));
            ack.Text("timestamp").Should().Be(first.Text("timestamp"));
            await peer.SendAsync(SentFile.Bytes(1000), 100);
            (await peer.DrainAsync()).Should().BeEmpty();
        }

        (await ben.DrainAsync()).Should().BeEmpty("nobody gets it twice");
    }

    [Fact]
    public async Task The_same_file_from_two_connections_at_once_becomes_one_message_and_one_file()
    {
        var bytes = SentFile.Bytes(300_000);
        var before = Chat.FileKeys().Count;
        await using var one = await Chat.LoginAsync(1, 1340);
        await using var two = await ChatPeer.LoginAsync(nodes.Second.Url, await Chat.Sessions.LoginAsync(1), 1340);
        await using var ben = await Chat.LoginAsync(2, 1340);
        await one.BeginAsync(1340, "f1", bytes.Length);
        await two.BeginAsync(1340, "f1", bytes.Length);

        await Task.WhenAll(one.SendAsync(bytes, 50_000), two.SendAsync(bytes, 50_000));

        (await one.FindAsync("ack")).Number("seq").Should().Be(1);
        (await two.FindAsync("ack")).Number("seq").Should().Be(1);
        (await Http.GetByteArrayAsync(nodes.Second.UrlOf(await ben.FileAsync()))).Should().Equal(bytes);
        (await ben.DrainAsync()).Should().BeEmpty();
        await Chat.FilesAsync(before + 1);
    }

    [Fact]
    public async Task Announced_again_while_it_is_under_way_a_file_begins_anew()
    {
        var bytes = SentFile.Bytes(300_000);
        var before = Chat.FileKeys().Count;
        await using var ada = await Chat.LoginAsync(1, 1350);
        await ada.BeginAsync(1350, "f1", bytes.Length);
        await ada.SendAsync(bytes[..200_000], 50_000);

        await ada.AnnounceAsync(1350, "f1", bytes.Length);
        (await ada.UntilAsync(frame => frame.Type() == "upload")).Should()
            .NotContain(frame => frame.Type() == "info", "the client asked for it");
        await ada.SendAsync(bytes, 50_000);

        await ada.FindAsync("ack");
        await Chat.FilesAsync(before + 1);
    }

    [Fact]
    public async Task A_replay_has_files_and_any_node_serves_them()
    {
        var bytes = SentFile.Bytes(200_000);
        await using var ada = await Chat.LoginAsync(1, 1360);
        await ada.SayAsync(1360, "m1");
        await ada.UploadAsync(1360, "f2", bytes);
        await ada.SayAsync(1360, "m3");
        await using var fresh = await Chat.LoginAsync(2, 1360);
        await fresh.SendAsync(new { type = "leave", room_id = 1360 });
        await fresh.FindAsync("left");
        var epoch = (await JoinAsync(fresh, null, null)).Text("epoch");

        await using var late = await ChatPeer.LoginAsync(nodes.Second.Url, await Chat.Sessions.LoginAsync(3));
        await late.SendAsync(new { type = "join", room_id = 1360, since = 0, epoch });
        (await late.NextAsync("joined")).Flag("recovered").Should().BeTrue();
        var frames = await late.UntilMessageAsync("m3");

        frames.SelectMany(frame => frame.Messages()).Select(message => message.Text("identifier")).Should().Equal("m1", "f2", "m3");
        var file = frames.Single(frame => frame.Type() == "file").Messages().Single()["file"]!.AsObject();
        (await Http.GetByteArrayAsync(nodes.Second.UrlOf(file))).Should().Equal(bytes);
    }

    [Fact]
    public async Task What_is_not_accepted_goes_by_itself_within_minutes_and_what_is_stays_for_a_day()
    {
        var database = Chat.Connection.GetDatabase();
        await using var ada = await Chat.LoginAsync(1, 1370);
        await using var ben = await Chat.LoginAsync(2, 1370);
        var before = Chat.FileKeys();
        await ada.BeginAsync(1370, "f1", 200_000);
        await ada.SendAsync(SentFile.Bytes(150_000), 150_000);
        await Chat.FilesAsync(before.Count + 1);
        var key = Chat.FileKeys().Except(before).Single();

        (await database.KeyTimeToLiveAsync(key)).Should()
            .BeLessThanOrEqualTo(TimeSpan.FromSeconds(90)).And.BeGreaterThan(TimeSpan.FromSeconds(60));
        await ada.SendAsync(SentFile.Bytes(50_000), 50_000);
        await ada.NextAsync("ack");

        (await database.KeyTimeToLiveAsync(key)).Should().BeCloseTo(TimeSpan.FromDays(1), TimeSpan.FromSeconds(20));
        FileId.TryParse((await ben.FileAsync()).Text("id")!, out var id).Should().BeTrue();
        RedisKeys.File(id).Should().Be(key);
    }

    private static async Task<System.Text.Json.Nodes.JsonObject> JoinAsync(ChatPeer peer, long? since, string? epoch)
    {
        await peer.SendAsync(new { type = "join", room_id = 1360, since, epoch });
        return await peer.FindAsync("joined");
    }
}
