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
    public void Number_AnySeq_JoinsTheHalves(long seq)
    {
        var message = Message();

        Encoding.ASCII.GetString(message.Number(seq).Span).Should().Be($"{{\"type\":\"x\",\"seq\":{seq},\"a\":1}}");
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(ulong.MaxValue)]
    public void Record_IsReadBack(ulong origin)
    {
        var record = Message().Record(origin).Span;

        MessageRecord.TryRead(record, out var read, out var rest).Should().BeTrue();

        rest.IsEmpty.Should().BeTrue();
        read.Origin.Should().Be(origin);
        Encoding.ASCII.GetString(read.Number(12)).Should().Be("{\"type\":\"x\",\"seq\":12,\"a\":1}");
    }

    [Fact]
    public void Record_AskedForAgain_IsTheSame() =>
        Message().Record(5).ToArray().Should().Equal(Message().Record(5).ToArray());

    [Fact]
    public void Number_AfterTheRecordWasSent_IsRight()
    {
        var message = Message();
        message.Record(ulong.MaxValue);

        Encoding.ASCII.GetString(message.Number(long.MaxValue).Span).Should()
            .Be($"{{\"type\":\"x\",\"seq\":{long.MaxValue},\"a\":1}}");
    }

    private static UnnumberedMessage Message()
    {
        var message = new UnnumberedMessage("{\"type\":\"x\",\"seq\":".Length, ",\"a\":1}".Length);
        Encoding.ASCII.GetBytes("{\"type\":\"x\",\"seq\":").CopyTo(message.Head);
        Encoding.ASCII.GetBytes(",\"a\":1}").CopyTo(message.Tail);
        return message;
    }
}
