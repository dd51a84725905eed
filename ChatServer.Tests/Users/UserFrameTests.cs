using System.Text;
using ChatServer.Users;

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
}
