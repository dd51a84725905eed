using ChatServer.Embedded.Demo;

namespace ChatServer.Tests.Embedded.Demo;

public sealed class DemoQuantumTests
{
    [Fact]
    public void Save_MoreThanARoomHolds_DropsTheOldestAndItsIdentifier()
    {
        var quantum = new DemoQuantum(TimeProvider.System);
        var first = quantum.Save(2, 1, "m0", "body 0")!;
        for (var i = 1; i <= DemoRoomLog.Capacity; i++)
        {
            quantum.Save(2, 1, $"m{i}", $"body {i}");
        }

        var kept = quantum.Newest(2, int.MaxValue)!;
        kept.Should().HaveCount(DemoRoomLog.Capacity);
        kept[0].Body.Should().Be("body 1");
        kept[^1].Body.Should().Be($"body {DemoRoomLog.Capacity}");
        quantum.Save(2, 1, "m0", "body 0")!.Id.Should().BeGreaterThan(first.Id);
    }

    [Fact]
    public async Task Save_OneIdentifierFromManyThreads_IsOneRow()
    {
        var quantum = new DemoQuantum(TimeProvider.System);

        var saved = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(() => quantum.Save(2, 1, $"m{i % 4}", "hello"))))
            .WaitAsync(TimeSpan.FromSeconds(10));

        saved.Select(message => message!.Id).Distinct().Should().HaveCount(4);
        quantum.Newest(2, 100).Should().HaveCount(4);
    }

    [Fact]
    public async Task TryGetOrAddUser_OneNameFromManyThreads_IsOneUser()
    {
        var quantum = new DemoQuantum(TimeProvider.System);

        var ids = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() =>
        {
            quantum.TryGetOrAddUser("Zoe", out var user, out var _);
            return user!.Id;
        }))).WaitAsync(TimeSpan.FromSeconds(10));

        ids.Distinct().Should().ContainSingle();
    }
}
