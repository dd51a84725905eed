using ChatServer.Configuration;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace ChatServer.Tests.Redis;

public sealed class PartitionLayoutTests : IAsyncLifetime
{
    private const int Limit = 30_000;

    private readonly RedisServer _redis = new();
    private ConnectionMultiplexer? _connection;

    private IDatabase Database => _connection!.GetDatabase();

    public async ValueTask InitializeAsync()
    {
        await _redis.InitializeAsync();
        _connection = await _redis.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _connection!.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Find_NoData_IsTheDefaultOrWhatIsSet()
    {
        await Database.StringSetAsync("abc_3_7", "a session is no data of ours");

        (await Layout().FindAsync()).Should().Be(1024);
        (await Layout(8).FindAsync()).Should().Be(8);
        (await Database.KeyExistsAsync(RedisKeys.Layout)).Should().BeFalse("to ask writes nothing");
    }

    [Fact(Timeout = Limit)]
    public async Task Write_TheFirst_CountsForAll()
    {
        (await Layout(8).WriteAsync(8)).Should().Be(8);

        (await Layout().WriteAsync(1024)).Should().Be(8);
        (await Layout().FindAsync()).Should().Be(8);
        (await Layout(8).FindAsync()).Should().Be(8);
        (await MistakeAsync(() => Layout(16).FindAsync())).Should().Be(
            "CHAT_PARTITIONS: \"16\" is not the number over which the rooms in Redis are spread. Remove the setting, or set it to 8.");
        await Layout(16).Awaiting(layout => layout.WriteAsync(16)).Should().ThrowAsync<SettingsException>();
    }

    [Fact(Timeout = Limit)]
    public async Task Write_RedisIsFull_IsWrittenAllTheSame()
    {
        await Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        (await Layout().WriteAsync(1024)).Should().Be(1024);
    }

    /// <summary>The number was not written down in earlier versions.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(64, null)]
    [InlineData(64, 64)]
    [InlineData(200, 200)]
    public async Task Find_DataOfAVersionThatWroteNothingDown_IsItsNumber(int was, int? set)
    {
        await FillAsync(was);

        (await Layout(set).FindAsync()).Should().Be(was);
    }

    [Theory(Timeout = Limit)]
    [InlineData(64, 1024, "\"1024\" is not the number")]
    [InlineData(200, null, "is not set")]
    [InlineData(200, 64, "\"64\" is not the number")]
    public async Task Find_DataOfThatVersionWithAnotherNumber_IsAWrongSetting(int was, int? set, string words)
    {
        await FillAsync(was);

        (await MistakeAsync(() => Layout(set).FindAsync())).Should().StartWith("CHAT_PARTITIONS: ").And.Contain(words);
    }

    [Fact(Timeout = Limit)]
    public async Task Find_RedisWasEmptiedWhileNodesRun_WaitsForWhatTheyWrite()
    {
        await FillAsync(1024);
        var finding = Layout().FindAsync();

        (await Task.WhenAny(finding, Task.Delay(500))).Should().NotBe(finding);
        await Layout().WriteAsync(1024);

        (await finding).Should().Be(1024);
    }

    [Theory(Timeout = Limit)]
    [InlineData("many")]
    [InlineData("0")]
    [InlineData("1025")]
    public async Task Find_TheKeyHoldsSomethingElse_SaysSo(string written)
    {
        await Database.StringSetAsync(RedisKeys.Layout, written);

        (await MistakeAsync(() => Layout().FindAsync())).Should().Contain("chat:partitions").And.NotContain(written + " ");
    }

    [Fact(Timeout = Limit)]
    public async Task Node_SetOtherwise_DoesNotStart()
    {
        await Layout().WriteAsync(1024);

        await FluentActions.Awaiting(() => StartNodeAsync(("CHAT_PARTITIONS", "64"))).Should().ThrowAsync<SettingsException>();
    }

    [Fact(Timeout = Limit)]
    public async Task Node_RedisComesLater_IsToldThen()
    {
        await Layout(8).WriteAsync(8);
        await Database.ExecuteAsync("SAVE");
        await _redis.StopAsync();
        await using var node = await StartNodeAsync();
        var keys = node.Services.GetRequiredService<RedisKeys>();
        keys.AreKnown.Should().BeFalse();

        await _redis.StartAgainAsync();

        await Eventually.TrueAsync(() => keys.AreKnown, TimeSpan.FromSeconds(15), () => "it was not told");
        keys.Partitions.Should().Be(8);
        (await Database.StringGetAsync(RedisKeys.Layout)).Should().Be("8");
    }

    [Fact(Timeout = Limit)]
    public async Task Node_RedisIsEmptied_WritesItAgain()
    {
        await using var node = await StartNodeAsync();
        await Database.KeyDeleteAsync(RedisKeys.Layout);

        await Eventually.TrueAsync(
            () => Database.StringGet(RedisKeys.Layout) == "1024", TimeSpan.FromSeconds(10), () => "it was not written again");
    }

    [Fact(Timeout = Limit)]
    public async Task Node_AnotherLayoutWhileItRuns_Ends()
    {
        await using var node = await StartNodeAsync();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);

        await Database.StringSetAsync(RedisKeys.Layout, 64);

        await stopping.Task.WaitAsync(TimeSpan.FromSeconds(10));
        node.Log.All.Should().Contain(line => line.StartsWith("Critical", StringComparison.Ordinal) && line.Contains("[111]"));
        node.Services.GetRequiredService<PartitionLayoutWatch>().HasEndedTheNode.Should().BeTrue();
    }

    private PartitionLayout Layout(int? set = null) =>
        new(_connection!, RedisNode.OptionsFor(_redis.Port) with { Partitions = set }, TimeProvider.System);

    private Task<TestNode> StartNodeAsync(params (string Name, string Value)[] settings) =>
        TestNode.StartAsync(_redis, new Uri("http://127.0.0.1:1/"), settings);

    private async Task FillAsync(int partitions)
    {
        var keys = new RedisKeys(partitions);
        for (var room = 1; room <= 20; room++)
        {
            await Database.HashSetAsync(keys.Room(new RoomKey(3, room)), "seq", 1);
        }
    }

    private static async Task<string> MistakeAsync(Func<Task<int>> find) =>
        (await find.Should().ThrowAsync<SettingsException>()).Which.Mistakes.Should().ContainSingle().Subject;
}
