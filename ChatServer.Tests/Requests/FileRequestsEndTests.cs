using ChatServer.Files;
using ChatServer.Redis;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Requests;

/// <summary>How a file ends that does not become a message.</summary>
public sealed class FileRequestsEndTests : IAsyncLifetime
{
    private const int Limit = 20_000;
    private const long Room = 12;

    private readonly FakeTimeProvider _time = new();
    private readonly ServiceParts _parts;
    private RequestPeer? _peer;

    public FileRequestsEndTests() => _parts = new(_time, ("RATE_LIMIT", "0"));

    private RequestPeer Peer => _peer!;

    public async ValueTask InitializeAsync() => _peer = await RequestPeer.JoinAsync(_parts, 7, Room);

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Cancel_TheFileOnItsWay_IsIncompleteAndTheNextOneIsTaken()
    {
        var upload = await BeginAsync("f1", 1000);
        await Peer.SendBytesAsync(new byte[10]);

        await Peer.SendAsync(FileFrames.Cancel("f1"));

        (await Peer.ErrorAsync("file_incomplete")).Text("identifier").Should().Be("f1");
        await EndedAsync(upload);
        await Peer.SendBytesAsync(new byte[990]);
        await BeginAsync("f2", 10);
        await Peer.SendBytesAsync(new byte[10]);
        (await Peer.NextAsync("ack")).Text("identifier").Should().Be("f2");
    }

    [Fact(Timeout = Limit)]
    public async Task Cancel_AnotherOrNoFile_HasNoEffect()
    {
        await Peer.SendAsync(FileFrames.Cancel("f1"));
        await BeginAsync("f1", 10);
        await Peer.SendAsync(FileFrames.Cancel("f2"));
        await Peer.SendBytesAsync(new byte[10]);
        await Peer.NextAsync("ack");

        await Peer.SendAsync(FileFrames.Cancel("f1"));

        await Peer.SendAsync("""{"type":"ping"}""");
        await Peer.NextAsync("pong");
    }

    [Fact(Timeout = Limit)]
    public async Task Receive_MoreBytesThanSaid_IsRejectedOnceAndNothingIsKept()
    {
        var upload = await BeginAsync("f1", 10);

        await Peer.SendBytesAsync(new byte[11]);
        await Peer.SendBytesAsync(new byte[11]);

        (await Peer.ErrorAsync("file_rejected")).Text("identifier").Should().Be("f1");
        Peer.Waiting.Should().BeEmpty();
        await EndedAsync(upload);
    }

    [Fact(Timeout = Limit)]
    public async Task Receive_AllBytesButTheFrameGoesOn_IsNotCompleteYet()
    {
        await BeginAsync("f1", 10);

        await Peer.SendBytesAsync(new byte[10], isEnd: false);
        Peer.Waiting.Should().BeEmpty();
        await Peer.SendBytesAsync([], isEnd: true);

        await Peer.NextAsync("ack");
    }

    [Fact(Timeout = Limit)]
    public async Task Receive_LeftTheRoomMeanwhile_IsToldSoAndNothingIsKept()
    {
        var upload = await BeginAsync("f1", 10);
        await Peer.SendAsync("""{"type":"leave","room_id":12}""");
        await Peer.NextAsync("left");

        await Peer.SendBytesAsync(new byte[10]);

        (await Peer.ErrorAsync("not_in_room")).Text("identifier").Should().Be("f1");
        await EndedAsync(upload);
    }

    [Fact(Timeout = Limit)]
    public async Task Watch_ThirtySecondsWithoutAByte_IsIncompleteAndWhatComesLateIsPassedOver()
    {
        var upload = await BeginAsync("f1", 10);
        _time.Advance(TimeSpan.FromSeconds(30));

        await upload.LookAfterAsync().WaitAsync(TimeSpan.FromSeconds(10));
        await Peer.SendBytesAsync(new byte[10]);
        await Peer.SendBytesAsync(new byte[10]);

        (await Peer.ErrorAsync("file_incomplete")).Text("identifier").Should().Be("f1");
        Peer.Waiting.Should().BeEmpty();
        await EndedAsync(upload);
        Peer.Client.PendingUpload.Should().BeNull();
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_RedisIsOutOfReach_IsUnavailableAndCanBeSentAgain()
    {
        await BeginAsync("f1", 10);
        _parts.Backplane.BeforeAccept = _ => throw new RedisUnavailableException("away");
        await Peer.SendBytesAsync(new byte[10]);
        (await Peer.ErrorAsync("unavailable")).Text("identifier").Should().Be("f1");
        _parts.Backplane.BeforeAccept = _ => Task.CompletedTask;

        await BeginAsync("f1", 10);
        await Peer.SendBytesAsync(new byte[10]);

        (await Peer.NextAsync("ack")).Number("seq").Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_TheSameFileWasAcceptedMeanwhile_GetsTheFirstAckAndKeepsOneFile()
    {
        var tab = await RequestPeer.JoinAsync(_parts, 7, Room);
        var upload = await BeginAsync("f1", 10);
        await tab.SendAsync(FileFrames.Announce(Room, "f1", 10));
        await tab.NextAsync("upload");
        await tab.SendBytesAsync(new byte[10]);
        var first = await tab.NextAsync("ack");

        await Peer.SendBytesAsync(new byte[10]);

        await Peer.NextAsync("file");
        (await Peer.NextAsync("ack")).ToJsonString().Should().Be(first.ToJsonString());
        (await _parts.Get<IFileStore>().FindAsync(upload.Id)).Should().BeNull();
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(1);
    }

    private async Task<Upload> BeginAsync(string identifier, long size)
    {
        await Peer.SendAsync(FileFrames.Announce(Room, identifier, size));
        await Peer.NextAsync("upload");
        return Peer.Client.PendingUpload!.Upload;
    }

    private async Task EndedAsync(Upload upload)
    {
        upload.IsOver.Should().BeTrue();
        (await _parts.Get<IFileStore>().ReadAsync(upload.Id, 0)).Should().BeNull();
        (await _parts.Get<IFileStore>().FindAsync(upload.Id)).Should().BeNull();
        _parts.Get<UploadWatch>().Count.Should().Be(0);
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(0);
    }
}
