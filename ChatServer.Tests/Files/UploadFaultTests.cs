using System.Globalization;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files;

/// <summary>Files while Redis is full or away, and many at once.</summary>
public sealed class UploadFaultTests
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };

    [Fact]
    public async Task A_file_for_which_Redis_has_no_memory_is_answered_by_an_error_and_the_chat_works()
    {
        await using var chat = await ChatFixture.StartAsync();
        await using var ada = await chat.LoginAsync(1, 1400);
        await using var ben = await chat.LoginAsync(2, 1400);
        await ada.SayAsync(1400, "m1");
        var database = chat.Connection.GetDatabase();
        await database.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        await database.ExecuteAsync("CONFIG", "SET", "maxmemory", "16mb");
        var bytes = SentFile.Bytes(20_000_000);

        await ada.BeginAsync(1400, "f1", bytes.Length);
        await ada.SendAsync(bytes, 1_000_000);

        var error = await ada.FindAsync("info");
        error.Text("code").Should().Be("unavailable");
        error.Text("identifier").Should().Be("f1");
        error.Text("message").Should().Contain("no space");
        chat.FileKeys().Should().BeEmpty("what was stored of it is deleted before the sender is told");
        (await ada.SayAsync(1400, "m2")).Number("seq").Should().Be(2);
        await ada.UploadAsync(1400, "f3", bytes[..1_000_000]);
        await ben.UntilMessageAsync("m2");
        (await ben.FileAsync()).Text("sha256").Should().Be(SentFile.Sha256(bytes[..1_000_000]));
    }

    [Fact]
    public async Task A_file_during_which_Redis_goes_away_is_unavailable_and_goes_through_when_it_is_back()
    {
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes");
        await using var connection = await redis.ConnectAsync();
        await using var quantum = await QuantumServer.StartAsync();
        await using var node = await TestNode.StartAsync(redis, quantum.Url);
        await using var ada = await ChatPeer.LoginAsync(node.Url, await new TestSessions(connection).LoginAsync(1), 1401);
        var bytes = SentFile.Bytes(1_000_000);
        await ada.BeginAsync(1401, "f1", bytes.Length);
        await ada.SendAsync(bytes[..400_000], 100_000);
        await redis.StopAsync();
        await ada.SendAsync(bytes[400_000..], 100_000);

        (await ada.UntilAsync(frame => frame.Type() == "info"))[^1].Text("code").Should().Be("unavailable");
        await ada.AnnounceAsync(1401, "f1", bytes.Length);
        await ada.ErrorAsync("unavailable");
        await redis.StartAgainAsync();

        await Eventually.TrueAsync(() => IsBack(node), TimeSpan.FromSeconds(20), () => "the node finds Redis again");
        await ada.UploadAsync(1401, "f1", bytes);
        await quantum.WaitForSavedAsync(1);
        quantum.Saved.Single().File!.Bytes.Should().Equal(bytes);
    }

    [Fact]
    public async Task Fifty_files_at_once_pass_through_a_node_whose_memory_stays_bounded()
    {
        const int count = 50;
        const int size = 10_000_000;
        await using var chat = await ChatFixture.StartAsync();
        await using var node = new NodeProcess(chat.Redis.Port, chat.Quantum.Url.Port, program: null, ("CHAT_UPLOAD_QUOTA_BYTES", "0"));
        await node.StartAsync();
        var bytes = SentFile.Bytes(size);
        chat.Quantum.Instead = (_, context) =>
        {
            context.Response.StatusCode = 503;
            return Task.FromResult(true);
        };
        var peers = new List<ChatPeer>();
        for (var number = 0; number < count; number++)
        {
            peers.Add(await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(10 + (number / 10)), 1410 + number));
        }

        await peers[0].UploadAsync(1410, "warm", bytes[..1_000_000]);
        var (before, peak) = (node.ResidentBytes(), 0L);
        using var ended = new CancellationTokenSource();
        var sampling = Task.Run(async () =>
        {
            while (!ended.IsCancellationRequested)
            {
                peak = Math.Max(peak, node.ResidentBytes());
                await Task.Delay(10);
            }
        });
        await Task.WhenAll(peers.Select(async (peer, number) =>
        {
            await peer.AnnounceAsync(1410 + number, "f1", size);
            await peer.SendAsync(bytes, 1_000_000);
            await peer.UntilAsync(frame => frame.Type() == "ack");
        }));
        await ended.CancelAsync();
        await sampling;

        var grown = (peak - before) / 1e6;
        TestContext.Current.TestOutputHelper?.WriteLine(
            string.Create(CultureInfo.InvariantCulture,
                $"{count} files of {size / 1e6} MB: RSS {before / 1e6:F0} MB before, {peak / 1e6:F0} MB at most"));
        grown.Should().BeLessThan(150, "the files are 500 MB");
        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }
    }

    [Fact]
    public async Task Uploads_that_wait_for_a_buffer_get_their_turn_though_others_hold_theirs()
    {
        await using var chat = await ChatFixture.StartAsync();
        await using var node = await chat.StartNodeAsync(("CHAT_UPLOAD_BUFFER_BYTES", "131072"));
        await using var slow = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(1), 1490);
        await using var fast = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(2), 1490);
        var bytes = SentFile.Bytes(300_000);
        await slow.BeginAsync(1490, "slow", bytes.Length);
        await slow.SendAsync(bytes[..1000], 1000);
        await fast.BeginAsync(1490, "fast", bytes.Length);

        // The only buffer is the slow one's, until it has held it for five seconds.
        for (var tries = 0; ; tries++)
        {
            await fast.SendAsync(bytes, 100_000);
            if ((await fast.UntilAsync(frame => frame.Type() is "ack" or "info"))[^1].Type() == "ack")
            {
                break;
            }

            tries.Should().BeLessThan(5);
            await fast.AnnounceAsync(1490, "fast", bytes.Length);
            await fast.UntilAsync(frame => frame.Type() == "upload");
        }

        await slow.SendAsync(bytes[1000..], 50_000);
        await slow.UntilAsync(frame => frame.Type() == "ack");
        var file = await fast.FileAsync();
        (await Http.GetByteArrayAsync(node.UrlOf(file))).Should().Equal(bytes);
    }

    private static bool IsBack(TestNode node)
    {
        using var answer = Http.Send(new HttpRequestMessage(HttpMethod.Get, new Uri(node.Http, "/readyz")));
        return answer.IsSuccessStatusCode;
    }
}
