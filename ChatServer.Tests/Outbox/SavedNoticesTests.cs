using System.Text.Json;
using ChatServer.Backplane;
using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;

namespace ChatServer.Tests.Outbox;

public sealed class SavedNoticesTests : IAsyncDisposable
{
    private const int Limit = 30_000;

    private readonly MemoryBackplane _backplane = new(new MemoryOutbox(TimeProvider.System), RoomOptions.Log, TimeProvider.System);
    private readonly SavedNotices _notices;
    private readonly Heard _heard = new();
    private readonly RoomKey _room = Drafts.NewRoom();

    public SavedNoticesTests() => _notices = new(_backplane, TimeProvider.System);

    public ValueTask DisposeAsync() => _notices.FlushAsync();

    [Fact(Timeout = Limit)]
    public async Task Add_AfterASilence_IsToldAtOnceAndWhatFollowsInOneFrame()
    {
        await _backplane.SubscribeAsync(_room, _heard);

        Save(7, 1);
        (await _heard.NoticesAsync(1)).Should().ContainSingle();
        Save(7, 2);
        Save(7, 3);
        Save(8, 4);

        var notices = await _heard.NoticesAsync(3);
        notices.Select(notice => (notice.ExceptUserId, Seqs(notice))).Should().Equal((7, "1"), (8, "4"), (7, "2,3"));
    }

    [Fact(Timeout = Limit)]
    public async Task Add_ManyAtOnce_AreAllToldInFramesOfBoundedSize()
    {
        await _backplane.SubscribeAsync(_room, _heard);

        for (var seq = 1; seq <= 450; seq++)
        {
            Save(7, seq);
        }

        var notices = await _heard.NoticesAsync(4);
        notices.Select(notice => Seqs(notice).Split(',').Length).Should().Equal(1, 200, 200, 49);
        string.Join(',', notices.Select(Seqs)).Should().Be(string.Join(',', Enumerable.Range(1, 450)));
    }

    [Fact(Timeout = Limit)]
    public async Task Add_RedisTakesItsTimeToFail_IsToldLater()
    {
        var backplane = new BackplaneOverMemory();
        await backplane.SubscribeAsync(_room, _heard);
        var failures = 1;
        backplane.BeforeNotice = async () =>
        {
            if (Interlocked.Decrement(ref failures) >= 0)
            {
                await Task.Delay(700);
                throw new RedisUnavailableException("not now");
            }
        };
        var notices = new SavedNotices(backplane, TimeProvider.System);

        notices.Add(_room, 7, new(1, "id1", null));

        (await _heard.NoticesAsync(1)).Select(Seqs).Should().Equal("1");
        await notices.FlushAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Flush_WhatWaits_IsTold()
    {
        await _backplane.SubscribeAsync(_room, _heard);
        Save(7, 1);
        Save(7, 2);

        await _notices.FlushAsync();

        _heard.Notices.Select(Seqs).Should().Equal("1", "2");
    }

    private void Save(long user, long seq) => _notices.Add(_room, user, new(seq, $"id{seq}", null));

    private static string Seqs(RoomNotice notice) =>
        string.Join(',', JsonDocument.Parse(
            notice.Json).RootElement.GetProperty("saved").EnumerateArray().Select(saved => saved.GetProperty("seq").GetInt64()));
}
