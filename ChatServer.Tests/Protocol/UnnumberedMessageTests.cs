using System.Text;
using ChatServer.Protocol;

namespace ChatServer.Tests.Protocol;

public sealed class UnnumberedMessageTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(999)]
    [InlineData(1_234_567_890_123)]
    [InlineData(long.MaxValue)]
    public void Number_AnySeq_JoinsTheHalvesAndLeavesThemAsTheyAre(long seq)
    {
        var message = new UnnumberedMessage(8, 6);
        Encoding.ASCII.GetBytes("{\"seq\":0").CopyTo(message.Head);
        Encoding.ASCII.GetBytes(",\"a\":1").CopyTo(message.Tail);

        Encoding.ASCII.GetString(message.Number(seq).Span).Should().Be($"{{\"seq\":0{seq},\"a\":1");
        Encoding.ASCII.GetString(message.Head.Span).Should().Be("{\"seq\":0", "Redis may have it sent still");
        Encoding.ASCII.GetString(message.Tail.Span).Should().Be(",\"a\":1");
    }
}
