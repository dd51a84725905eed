using System.Net;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Files;

public sealed class RedisFileStoreTests(RedisServer redis) : FileStoreContract, IClassFixture<RedisServer>, IAsyncLifetime
{
    private RedisNode? _node;
    private FileConnection? _link;
    private RedisFileStore? _store;
    private RedisUploadQuota? _quota;

    private protected override IFileStore Store => _store!;

    private protected override IUploadQuota Quota => _quota!;

    public async ValueTask InitializeAsync()
    {
        _node = await RedisNode.ConnectAsync(redis);
        _link = new(
            new RedisOptions([new DnsEndPoint(RedisServer.Host, redis.Port)], null, null, 0, false, RedisOptions.DefaultPartitions, false),
            NullLogger<RedisConnection>.Instance);
        _store = new(_link, _node.Keys, Options);
        _quota = new(_node.Connection, Options, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await (_link?.DisposeAsync() ?? default);
        await (_node?.DisposeAsync() ?? default);
    }

    [Fact]
    public async Task AFile_AtEachStage_ExpiresByItself()
    {
        var id = Store.NewId(Drafts.NewRoom());
        await Store.WriteAsync(id, 0, new byte[10]);
        (await TimeToLiveAsync(id)).Should().BeCloseTo(TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(10));
        await Store.CompleteAsync(id, new("a", "b/c", 10, "x"));
        (await TimeToLiveAsync(id)).Should().BeCloseTo(TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(10));

        await Store.KeepAsync(id);

        (await TimeToLiveAsync(id)).Should().BeCloseTo(Options.Retention, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task AMessage_Accepted_MakesItsFileStayAndOneWhoseFileHasGoneIsNotAccepted()
    {
        var (room, other) = (Drafts.NewRoom(), Drafts.NewRoom());
        var (held, _) = await HoldAsync(SentFile.Bytes(10));
        var (gone, _) = await HoldAsync(SentFile.Bytes(10));
        await Store.DeleteAsync(gone);

        // In one call: the others in it must not suffer, and each gets its own file.
        var first = _node!.Backplane.AcceptAsync(Drafts.Of(room, 7, "m1"));
        var lost = _node.Backplane.AcceptAsync(Drafts.Of(room, 7, "f2") with { File = new(gone, Options.Retention) });
        var kept = _node.Backplane.AcceptAsync(Drafts.Of(room, 7, "f3") with { File = new(held, Options.Retention) });
        var last = _node.Backplane.AcceptAsync(Drafts.Of(room, 7, "m4"));

        (await first).Seq.Should().Be(1);
        await FluentActions.Awaiting(() => lost).Should().ThrowAsync<RedisUnavailableException>();
        (await kept).Seq.Should().Be(2);
        (await last).Seq.Should().Be(3);
        (await TimeToLiveAsync(held)).Should().BeCloseTo(Options.Retention, TimeSpan.FromSeconds(10));
        (await _node.Backplane.FindAsync(room, 7, "f2")).Should().BeNull();
        (await _node.Backplane.FindAsync(other, 7, "f3")).Should().BeNull();
    }

    private async Task<TimeSpan?> TimeToLiveAsync(FileId id) => await _node!.Database.KeyTimeToLiveAsync(RedisKeys.File(id));
}
