using ChatServer.Requests;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Requests;

public sealed class RequestOptionsTests
{
    [Fact]
    public void Read_NothingSet_GivesTheContractsDefaults()
    {
        var reader = TestSettings.Reader();

        RequestOptions.Read(reader).Should().Be(new RequestOptions(MaxMessageBytes: 65_536, RateLimit: 20, RateBurst: 60));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Read_AllSet_TakesEachByItsName()
    {
        var reader = TestSettings.Reader(("MAX_MESSAGE_BYTES", "1024"), ("RATE_LIMIT", "0"), ("RATE_BURST", "1"));

        RequestOptions.Read(reader).Should().Be(new RequestOptions(1024, 0, 1));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Limits_AreThoseOfTheContract()
    {
        RequestOptions.MaxFirstFrameBytes.Should().Be(4 * 1024);
        RequestOptions.MaxBinaryFrameBytes.Should().Be(1024 * 1024);
    }

    [Theory]
    [InlineData("MAX_MESSAGE_BYTES", "1023")]
    [InlineData("RATE_LIMIT", "-1")]
    [InlineData("RATE_LIMIT", "fast")]
    [InlineData("RATE_BURST", "0")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        RequestOptions.Read(reader).Should().Be(RequestOptions.Read(TestSettings.Reader()));

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: \"{value}\" ");
    }
}
