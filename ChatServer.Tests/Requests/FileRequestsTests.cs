using ChatServer.Files;
using ChatServer.Redis;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Requests;

public sealed class FileRequestsTests : IAsyncDisposable
{
    private const int Limit = 20_000;
    private const long Room = 12;

    private readonly ServiceParts _parts = new(
        ("RATE_LIMIT", "0"), ("MAX_FILE_BYTES", "1000000"), ("CHAT_UPLOAD_QUOTA_BYTES", "1500000"), ("CHAT_FILE_TYPES_BLOCKED", ".exe"));

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Upload_AWholeFile_BecomesAMessageThatTheOthersGet()
    {
        var (peer, other) = (await RequestPeer.JoinAsync(_parts, 7, Room), await RequestPeer.JoinAsync(_parts, 8, Room));
        var bytes = SentFile.Bytes(600_000);
        await peer.SendAsync(FileFrames.Announce(Room, "f1", bytes.Length, "../plan.pdf", "Application/PDF; x=1"));
        var upload = await peer.NextAsync("upload");
        (upload.Flag("success"), upload.Text("identifier")).Should().Be((true, "f1"));
        _parts.Get<UploadWatch>().Count.Should().Be(1);

        for (var sent = 0; sent < bytes.Length; sent += 100_000)
        {
            await peer.SendBytesAsync(bytes[sent..(sent + 100_000)]);
        }

        var progress = await peer.NextAsync("progress");
        (progress.Text("identifier"), progress.Number("received")).Should().Be(("f1", 262_144));
        (await peer.NextAsync("progress")).Number("received").Should().Be(524_288);
        (await peer.NextAsync("ack")).Number("seq").Should().Be(1);
        var file = (await other.NextAsync("file")).Messages().Should().ContainSingle().Subject["file"]!.AsObject();
        (file.Text("name"), file.Text("content_type"), file.Number("size"), file.Text("sha256")).Should()
            .Be(("plan.pdf", "application/pdf", 600_000, SentFile.Sha256(bytes)));
        file.Text("url").Should().Be($"/files/{file.Text("id")}");
        _parts.Get<UploadWatch>().Count.Should().Be(0);
        peer.Client.PendingUpload.Should().BeNull();
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task Upload_NoBytes_IsAFileAtOnce()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync(FileFrames.Announce(Room, "f1", 0));

        await peer.NextAsync("upload");
        (await peer.NextAsync("ack")).Text("identifier").Should().Be("f1");
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"type":"file","room_id":12,"name":"a","size":1}""", "bad_frame")]
    [InlineData("""{"type":"file","room_id":12,"identifier":"f1","size":1}""", "bad_frame")]
    [InlineData("""{"type":"file","room_id":12,"identifier":"f1","name":"a"}""", "bad_frame")]
    [InlineData("""{"type":"file","room_id":12,"identifier":"f1","name":"a","size":-1}""", "bad_frame")]
    [InlineData("""{"type":"file","room_id":12,"identifier":"f1","name":"a","size":1,"content_type":"pdf"}""", "bad_frame")]
    [InlineData("""{"type":"file","room_id":13,"identifier":"f1","name":"a","size":1}""", "not_in_room")]
    [InlineData("""{"type":"file","room_id":12,"identifier":"f1","name":"a","size":1000001}""", "too_large")]
    [InlineData("""{"type":"file","room_id":12,"identifier":"f1","name":"A.EXE","size":1}""", "file_rejected")]
    public async Task Announce_WhatIsNotTaken_CostsOneErrorHoweverManyBytesFollow(string frame, string code)
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync(frame);
        await peer.SendBytesAsync(new byte[1]);
        await peer.SendBytesAsync(new byte[70_000]);

        await peer.ErrorAsync(code);
        peer.Waiting.Should().BeEmpty();
        peer.Client.PendingUpload.Should().BeNull();
        _parts.Get<UploadWatch>().Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Announce_ANameOfMoreThanAThousandCharacters_IsABadFrame()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync(FileFrames.Announce(Room, "f1", 1, new string('a', 1025)));
        await peer.ErrorAsync("bad_frame");
        await peer.SendAsync(FileFrames.Announce(Room, "f1", 1, new string('a', 1024)));

        await peer.NextAsync("upload");
    }

    [Fact(Timeout = Limit)]
    public async Task Announce_WhileAnotherFileIsOnItsWay_IsRejectedAndTheFirstGoesOn()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        await peer.SendAsync(FileFrames.Announce(Room, "f1", 10));
        await peer.NextAsync("upload");

        await peer.SendAsync(FileFrames.Announce(Room, "f2", 10));
        (await peer.ErrorAsync("file_rejected")).Text("identifier").Should().Be("f2");
        await peer.SendBytesAsync(new byte[10]);

        (await peer.NextAsync("ack")).Text("identifier").Should().Be("f1");
    }

    [Fact(Timeout = Limit)]
    public async Task Announce_TheSameIdentifierOnceMore_BeginsAnew()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        await peer.SendAsync(FileFrames.Announce(Room, "f1", 900_000));
        await peer.NextAsync("upload");
        await peer.SendBytesAsync(new byte[5]);

        await peer.SendAsync(FileFrames.Announce(Room, "f1", 900_000));
        await peer.NextAsync("upload");
        await peer.SendBytesAsync(new byte[900_000]);

        await peer.NextAsync("progress");
        await peer.NextAsync("ack");
        _parts.Get<UploadWatch>().Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Announce_AFileThatWasAccepted_GetsItsFirstAckAgain()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        await UploadAsync(peer, "f1", 10);
        var first = await peer.NextAsync("ack");

        await peer.SendAsync(FileFrames.Announce(Room, "f1", 10));

        (await peer.NextAsync("ack")).ToJsonString().Should().Be(first.ToJsonString());
        await peer.SendBytesAsync(new byte[10]);
        peer.Waiting.Should().BeEmpty("nobody asked for the bytes, and nobody complains of them");
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task Announce_MoreThanTheQuota_IsRejectedAndWhatWasNotSentIsGivenBack()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        await UploadAsync(peer, "f1", 800_000);
        await peer.NextAsync("progress");
        await peer.NextAsync("ack");
        await peer.SendAsync(FileFrames.Announce(Room, "f2", 700_001));
        (await peer.ErrorAsync("file_rejected")).Text("message").Should().Contain("1500000 bytes");

        await peer.SendAsync(FileFrames.Announce(Room, "f3", 700_000));
        await peer.NextAsync("upload");
        await peer.SendAsync(FileFrames.Cancel("f3"));
        await peer.ErrorAsync("file_incomplete");
        await peer.SendAsync(FileFrames.Announce(Room, "f4", 700_000));

        await peer.NextAsync("upload");
    }

    [Fact(Timeout = Limit)]
    public async Task Announce_RedisIsOutOfReach_IsUnavailable()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        _parts.Backplane.BeforeFind = () => throw new RedisUnavailableException("away");

        await peer.SendAsync(FileFrames.Announce(Room, "f1", 10));

        (await peer.ErrorAsync("unavailable")).Text("identifier").Should().Be("f1");
        peer.Client.PendingUpload.Should().BeNull();
    }

    [Fact(Timeout = Limit)]
    public async Task Receive_BytesOfNoFile_AreABadFrameOnce()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendBytesAsync([]);
        peer.Waiting.Should().BeEmpty("an empty frame brings nothing");
        await peer.SendBytesAsync(new byte[10], isEnd: false);
        await peer.SendBytesAsync(new byte[10]);

        await peer.ErrorAsync("bad_frame");
        peer.Waiting.Should().BeEmpty();
    }

    private static async Task UploadAsync(RequestPeer peer, string identifier, int size)
    {
        await peer.SendAsync(FileFrames.Announce(Room, identifier, size));
        await peer.NextAsync("upload");
        await peer.SendBytesAsync(new byte[size]);
    }
}
