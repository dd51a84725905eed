using System.Text;
using ChatServer.Protocol;

namespace ChatServer.Tests.Protocol;

public sealed class MessageRecordTests
{
    private const string Good = "m 16 2 00000000000000ff\n{\"type\":\"x\",\"s\":3}";

    [Fact]
    public void Count_ManyRecords_CountsThemAll()
    {
        MessageRecord.Count(Encoding.ASCII.GetBytes(Good + Good + Good)).Should().Be(3);
        MessageRecord.Count([]).Should().Be(0);
    }

    [Theory]
    [InlineData("m")]
    [InlineData("m 16 2 00000000000000ff\n")]
    [InlineData("m 16 2 00000000000000ff {\"type\":\"x\",\"s\":3}")]
    [InlineData("m 16 2 0000000000000ff\n{\"type\":\"x\",\"s\":3}")]
    [InlineData("m 16 2 0000000000000xff\n{\"type\":\"x\",\"s\":3}")]
    [InlineData("m 16 3 00000000000000ff\n{\"type\":\"x\",\"s\":3}")]
    [InlineData("m 2147483647 2147483647 00000000000000ff\n{\"type\":\"x\",\"s\":3}")]
    [InlineData("m -1 2 00000000000000ff\n{\"type\":\"x\",\"s\":3}")]
    [InlineData("m 0 18 00000000000000ff\n{\"type\":\"x\",\"s\":3}")]
    [InlineData("m 15 2 00000000000000ff\n{\"type\":\"x\",\"s\":3}")]
    [InlineData("m 16 2 00000000000000ff\n[\"type\",\"xxx\",\"s\":3}")]
    [InlineData("k 18 2 00000000000000ff\n{\"type\":\"x\",\"s\":3}")]
    public void Count_AnythingElse_IsNobodys(string text)
    {
        MessageRecord.Count(Encoding.ASCII.GetBytes(text)).Should().Be(-1);
        MessageRecord.Count(Encoding.ASCII.GetBytes(Good + text)).Should().Be(-1);
    }
}
