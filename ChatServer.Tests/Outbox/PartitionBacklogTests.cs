using System.Collections.Concurrent;
using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Outbox;

public sealed class PartitionBacklogTests : IDisposable
{
    private const int Limit = 60_000;

    private readonly MemoryOutbox _outbox = new();
    private readonly ConcurrentDictionary<RoomKey, int> _seqs = new();
    private readonly PartitionBacklog _backlog;

    public PartitionBacklogTests() => _backlog = new(0, _outbox, NullLogger<PartitionBacklog>.Instance);

    public void Dispose() => _backlog.Dispose();

    [Fact(Timeout = Limit)]
    public async Task ReadOn_ARoomHasALargeBacklog_TheRoomBehindItIsFoundAndMemoryIsBounded()
    {
        var (crowded, other) = (new RoomKey(3, 1), new RoomKey(3, 2));
        for (var number = 0; number < 5000; number++)
        {
            Post(crowded, bytes: 5_000);
        }

        Post(other);

        var rooms = await ReadAllAsync();

        rooms.Select(room => room.Key).Should().Equal(crowded, other);
        (await _backlog.NextAsync(rooms[1], CancellationToken.None))!.Message.Room.Should().Be(other);
        _backlog.Rooms.BytesInHand.Should().BeInRange(1, OutboxOptions.MaxBytesInHand + 10_000);
    }

    [Fact(Timeout = Limit)]
    public async Task Next_ManyRoomsInterleavedAndSomeParkedNowAndThen_GivesEachMessageOnceInOrder()
    {
        const int messages = 3000;
        var random = new Random(4711);
        for (var number = 0; number < messages / 2; number++)
        {
            Post(new(3, 1 + (int)(40 * Math.Pow(random.NextDouble(), 2))), random.Next(20_000));
        }

        var given = new ConcurrentDictionary<RoomKey, List<long>>();
        var running = new List<Task>();
        var most = 0L;
        for (var number = 0; number < messages / 2 || (await _outbox.SizeAsync()).Waiting > 0;)
        {
            var added = await _backlog.ReadOnAsync(CancellationToken.None) ?? [];
            running.AddRange(added.Select(room => Task.Run(() => EmptyAsync(room))));
            most = Math.Max(most, _backlog.Rooms.BytesInHand);
            for (var more = 0; more < 20 && number < messages / 2; more++, number++)
            {
                Post(new(3, 1 + (int)(60 * Math.Pow(random.NextDouble(), 2))), random.Next(20_000));
            }

            await Task.Delay(1);
        }

        await Task.WhenAll(running);

        given.Values.Sum(seqs => seqs.Count).Should().Be(messages);
        given.Values.Should().AllSatisfy(seqs => seqs.Should().Equal(Enumerable.Range(1, seqs.Count).Select(seq => (long)seq)));
        _backlog.Rooms.BytesInHand.Should().Be(0);
        most.Should().BeLessThan(3 * OutboxOptions.MaxBytesInHand, "each room has one message at least");

        async Task EmptyAsync(RoomBacklog room)
        {
            var seqs = given.GetOrAdd(room.Key, _ => []);
            while (!_backlog.Rooms.TryFinish(room))
            {
                if (await _backlog.NextAsync(room, CancellationToken.None) is not { } next)
                {
                    continue;
                }

                if (Random.Shared.Next(5) == 0)
                {
                    _backlog.Rooms.Park(room);
                    await Task.Delay(Random.Shared.Next(3));
                    _backlog.Rooms.Unpark(room);
                    continue;
                }

                seqs.Add(next.Message.Seq);
                await _outbox.RemoveAsync(0, next.Entry.Id);
                _backlog.Rooms.Done(room);
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Park_ARoom_HasNothingInHandAndGetsTheSameMessageAfterwards()
    {
        var room = new RoomKey(3, 1);
        Post(room);
        Post(room);
        var backlog = (await ReadAllAsync()).Should().ContainSingle().Which;

        _backlog.Rooms.Park(backlog);
        Post(room);
        await ReadAllAsync();

        _backlog.Rooms.BytesInHand.Should().Be(0);
        _backlog.Rooms.Unpark(backlog);
        (await _backlog.NextAsync(backlog, CancellationToken.None))!.Message.Seq.Should().Be(1);
    }

    private async Task<List<RoomBacklog>> ReadAllAsync()
    {
        var rooms = new List<RoomBacklog>();
        while (await _backlog.ReadOnAsync(CancellationToken.None) is { } added)
        {
            rooms.AddRange(added);
        }

        return rooms;
    }

    private void Post(RoomKey room, int bytes = 5)
    {
        var seq = _seqs.AddOrUpdate(room, 1, (_, last) => last + 1);
        _outbox.Add(Drafts.Of(room, 7, $"id{seq}", new('x', bytes)).Json.Number(seq).ToArray(), "rest");
    }
}
