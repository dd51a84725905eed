using ChatServer.Tests.Support;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>Two who chat beside it all. Every message must come, in order and soon; <see cref="ChatPeer"/> waits ten seconds at most.</summary>
internal sealed class Neighbours(ChatPeer ada, ChatPeer bob, long room)
{
    /// <summary>How many messages have come.</summary>
    public int Told { get; private set; }

    /// <summary>The longest that a message took to the other one.</summary>
    public TimeSpan Slowest { get; private set; }

    public async Task ChatAsync(CancellationToken stop)
    {
        var seq = 0L;
        while (!stop.IsCancellationRequested)
        {
            var start = TimeProvider.System.GetTimestamp();
            var name = $"n{Told}";
            await ada.ChatAsync(room, name, "hello");
            var message = (await bob.UntilMessageAsync(name))[^1].Messages().Single();
            Assert.True(seq == 0 || message.Number("seq") == seq + 1, $"seq {message.Number("seq")} comes behind {seq}");
            seq = message.Number("seq");
            var took = TimeProvider.System.GetElapsedTime(start);
            Slowest = took > Slowest ? took : Slowest;
            (await ada.FindAsync("ack")).Number("seq").Should().Be(seq);
            Told++;
            await Task.Delay(5, CancellationToken.None);
        }
    }
}
