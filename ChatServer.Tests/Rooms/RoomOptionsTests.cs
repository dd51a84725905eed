using ChatServer.Rooms;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Rooms;

public sealed class RoomOptionsTests
{
    [Fact]
    public void Read_NothingSet_GivesTheContractsDefaults()
    {
        var reader = TestSettings.Reader();

        RoomOptions.Read(reader).Should().Be(new RoomOptions(MaxRoomsPerConnection: 500));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Read_AllSet_TakesEachByItsName()
    {
        var reader = TestSettings.Reader(("MAX_ROOMS_PER_CONNECTION", "3"));

        RoomOptions.Read(reader).Should().Be(new RoomOptions(3));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Log_KeepsWhatTheContractPromises()
    {
        RoomOptions.Log.Messages.Should().BeGreaterThanOrEqualTo(1000);
        RoomOptions.LogAge.Should().BeGreaterThanOrEqualTo(TimeSpan.FromHours(24));
        RoomOptions.IdentifierAge.Should().BeGreaterThanOrEqualTo(TimeSpan.FromMinutes(5));
    }

    [Theory]
    [InlineData("MAX_ROOMS_PER_CONNECTION", "0")]
    [InlineData("MAX_ROOMS_PER_CONNECTION", "100001")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        RoomOptions.Read(reader).Should().Be(RoomOptions.Read(TestSettings.Reader()));

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: \"{value}\" ");
    }
}
