using ChatServer.Rooms.Access;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Rooms.Access;

public sealed class RoomAccessOptionsTests
{
    [Fact]
    public void Read_NothingSet_GivesTheContractsDefaults()
    {
        var reader = TestSettings.Reader();

        RoomAccessOptions.Read(reader).Should().Be(new RoomAccessOptions(RoomAccessRule.Quantum));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Read_AllSet_TakesEachByItsName()
    {
        var reader = TestSettings.Reader(("ROOM_ACCESS", "company"));

        RoomAccessOptions.Read(reader).Should().Be(new RoomAccessOptions(RoomAccessRule.Company));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Ages_AreThoseOfTheContract()
    {
        RoomAccessOptions.Fresh.Should().Be(TimeSpan.FromSeconds(60));
        RoomAccessOptions.Usable.Should().Be(TimeSpan.FromHours(1));
    }

    [Theory]
    [InlineData("ROOM_ACCESS", "everybody")]
    [InlineData("ROOM_ACCESS", "1")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        RoomAccessOptions.Read(reader).Should().Be(RoomAccessOptions.Read(TestSettings.Reader()));

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: \"{value}\" ");
    }
}
