using System.Reflection;
using System.Text;
using ChatServer.Protocol;

namespace ChatServer.Tests.Protocol;

public sealed class CloseReasonTests
{
    [Fact]
    public void Reasons_All_FitIntoACloseFrameAndHaveTheirOwnCode()
    {
        var reasons = typeof(CloseReason).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (CloseReason)field.GetValue(null)!).ToList();

        reasons.Should().HaveCountGreaterThan(15);
        reasons.Select(reason => reason.Code).Should().OnlyHaveUniqueItems();
        reasons.Should().AllSatisfy(reason => Encoding.UTF8.GetByteCount(reason.Text).Should().BeLessThanOrEqualTo(123));
        reasons.Where(reason => reason.Code >= 4000).Should().AllSatisfy(reason => reason.Text.Should().MatchRegex("^[a-z_]+$"));
    }

    [Theory]
    [InlineData(4001, "slow_consumer")]
    [InlineData(4002, "rate_limited")]
    [InlineData(4003, "no_pong")]
    [InlineData(4004, "unavailable")]
    [InlineData(4500, "invalid_token")]
    [InlineData(4501, "bad_frame")]
    [InlineData(4502, "auth_timeout")]
    [InlineData(4503, "session_ended")]
    [InlineData(4504, "too_many_connections")]
    [InlineData(1012, "restart")]
    public void Reasons_OfTheContract_AreThere(ushort code, string text) =>
        typeof(CloseReason).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (CloseReason)field.GetValue(null)!)
            .Should().Contain(new CloseReason(code, text));
}
