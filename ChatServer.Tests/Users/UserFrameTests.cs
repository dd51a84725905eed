using System.Text;
using ChatServer.Users;
using ChatServer.WebSockets;

namespace ChatServer.Tests.Users;

public sealed class UserFrameTests
{
    [Theory]
    [InlineData("{\"type\":\"x\",\"a\":{\"type\":1}}", "{\"type\":\"x\",\"a\":{\"type\":1}}")]
    [InlineData(" {\"a\":[],\"type\":\"x\"} ", " {\"a\":[],\"type\":\"x\"} ")]
    [InlineData(
        "{\"type\":\"chat\",\"body\":\"ü\"}", "{\"type\":\"chat\",\"success\":true,\"messages\":[{\"type\":\"chat\",\"body\":\"ü\"}]}")]
    [InlineData("{\"type\":\"chat\",\"messages\":[]}", "{\"type\":\"chat\",\"messages\":[]}")]
    [InlineData("{\"type\":\"chat\",\"x\":{\"messages\":[]}}",
        "{\"type\":\"chat\",\"success\":true,\"messages\":[{\"type\":\"chat\",\"x\":{\"messages\":[]}}]}")]
    public void Read_AnObjectWithAType_IsPassedOnOrWrapped(string json, string expected) =>
        Encoding.UTF8.GetString(UserFrame.Read(Encoding.UTF8.GetBytes(json))!.Value.Span).Should().Be(expected);

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"type\":5}")]
    [InlineData("{\"type\":\"x\"")]
    [InlineData("{\"type\":\"x\"}{}")]
    [InlineData("{\"\\ud800\":1,\"type\":\"x\"}")]
    public void Read_AnythingElse_IsNoFrame(string json) => UserFrame.Read(Encoding.UTF8.GetBytes(json)).Should().BeNull();

    [Fact]
    public void ReadAll_AnArray_IsAFrameForEachInOrder()
    {
        var frames = UserFrame.ReadAll("""[{"type":"a","x":[1,{"y":"]"}]},{"type":"chat","body":"b"} , {"type":"ü"}]"""u8);

        frames.Should().Equal(
        [
            .. FrameWriter.Frame(Opcode.Text, """{"type":"a","x":[1,{"y":"]"}]}"""u8),
            .. FrameWriter.Frame(Opcode.Text, """{"type":"chat","success":true,"messages":[{"type":"chat","body":"b"}]}"""u8),
            .. FrameWriter.Frame(Opcode.Text, """{"type":"ü"}"""u8),
        ]);
        UserFrame.ReadAll("""{"type":"a"}"""u8).Should().Equal(FrameWriter.Frame(Opcode.Text, """{"type":"a"}"""u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("[1]")]
    [InlineData("[{}]")]
    [InlineData("[{\"type\":\"x\"}")]
    [InlineData("[{\"type\":\"x\"},]")]
    [InlineData("[{\"type\":\"x\"}]1")]
    [InlineData("[{\"type\":\"x\"},[{\"type\":\"x\"}]]")]
    [InlineData("{\"type\":5}")]
    public void ReadAll_AnythingElse_IsNoFrame(string json) => UserFrame.ReadAll(Encoding.UTF8.GetBytes(json)).Should().BeNull();
}
