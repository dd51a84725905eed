using ChatServer.Outbox;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Outbox;

public sealed class OutboxOptionsTests
{
    [Fact]
    public void Read_NothingSet_GivesTheContractsDefaults()
    {
        var reader = TestSettings.Reader();

        OutboxOptions.Read(reader).Should().Be(new OutboxOptions(Attempts: 20, MaxConcurrentSaves: 8));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Read_AllSet_TakesEachByItsName()
    {
        var reader = TestSettings.Reader(("SAVE_ATTEMPTS", "3"), ("CHAT_SAVES_IN_PARALLEL", "1"));

        OutboxOptions.Read(reader).Should().Be(new OutboxOptions(3, 1));
        reader.Mistakes.Should().BeEmpty();
    }

    [Theory]
    [InlineData("SAVE_ATTEMPTS", "0")]
    [InlineData("SAVE_ATTEMPTS", "many")]
    [InlineData("CHAT_SAVES_IN_PARALLEL", "0")]
    [InlineData("CHAT_SAVES_IN_PARALLEL", "1025")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        OutboxOptions.Read(reader).Should().Be(OutboxOptions.Read(TestSettings.Reader()));

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: \"{value}\" ");
    }
}
