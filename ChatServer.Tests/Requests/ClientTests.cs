using ChatServer.Rooms;
using ChatServer.Rooms.Fanout;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Requests;

public sealed class ClientTests : IAsyncDisposable
{
    private const int Limit = 20_000;
    private const long Room = 12;

    private readonly ServiceParts _parts = new();

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Dispose_GivesBackAllThatItHolds()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        _parts.Get<RoomDirectory>().Count.Should().Be(1);
        _parts.Sessions.Watches.Should().Be(1);

        await peer.Client.DisposeAsync();

        _parts.Get<RoomDirectory>().Count.Should().Be(0);
        _parts.Sessions.Watches.Should().Be(0);
        _parts.Connections.Count.Should().Be(0);
        _parts.Connections.OfUser(7).Should().BeEmpty();
        var heard = new List<string>();
        _parts.Backplane.BeforeSubscribe = what =>
        {
            heard.Add(what);
            return Task.CompletedTask;
        };
        await RequestPeer.LoginAsync(_parts, 7);
        heard.Should().Equal(["user"], "nobody heard the user's channel any more");
    }

    [Fact(Timeout = Limit)]
    public async Task Dispose_OneOfTwo_TakesNothingFromTheOther()
    {
        var (gone, staying) = (await RequestPeer.JoinAsync(_parts, 7, Room), await RequestPeer.JoinAsync(_parts, 7, Room));

        await gone.Client.DisposeAsync();

        _parts.Get<RoomDirectory>().Count.Should().Be(1);
        _parts.Sessions.Watches.Should().Be(1);
        _parts.Connections.OfUser(7).Should().Equal(staying.Connection);
        await staying.ChatAsync(Room, "a1");
        await staying.NextAsync("ack");
    }

    [Fact(Timeout = Limit)]
    public async Task Dispose_BeforeItIsKnown_OnlyLeavesTheRegistry()
    {
        var peer = new RequestPeer(_parts);

        await peer.Client.DisposeAsync();

        _parts.Connections.Count.Should().Be(0);
        peer.Outbound.Frames.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Dispose_AnUploadIsUnderWay_NothingOfItIsKept()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        await peer.SendAsync(FileFrames.Announce(Room, "f1", 300_000));
        await peer.NextAsync("upload");
        await peer.SendBytesAsync(SentFile.Bytes(200_000));
        var upload = peer.Client.PendingUpload!.Upload;
        var store = _parts.Get<ChatServer.Files.IFileStore>();
        (await store.ReadAsync(upload.Id, 0)).Should().NotBeNull();

        await peer.Client.DisposeAsync();

        upload.IsOver.Should().BeTrue();
        (await store.ReadAsync(upload.Id, 0)).Should().BeNull();
        _parts.Get<ChatServer.Files.UploadWatch>().Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task MemberOf_SomebodyElsePutItOut_IsNoMemberAnyMore()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        var member = peer.Client.MemberOf(Room)!;
        member.Connection.Should().BeSameAs(peer.Connection);

        _parts.Get<RoomDirectory>().Leave(member, RoomFrames.Removed(Room));

        peer.Client.MemberOf(Room).Should().BeNull();
        peer.Client.Rooms.Should().BeEmpty();
        peer.Client.MemberOf(99).Should().BeNull();
        await peer.Client.DisposeAsync();
        _parts.Get<RoomDirectory>().Count.Should().Be(0, "it is left once");
    }
}
