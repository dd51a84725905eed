using ChatServer.Rooms;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Rooms;

public sealed class RoomOptionsTests
{
    private const int MaxMessageBytes = 65_536;

    [Fact]
    public void Read_NothingSet_GivesTheContractsDefaults()
    {
        var reader = TestSettings.Reader();

        RoomOptions.Read(reader, MaxMessageBytes).Should().Be(new RoomOptions(MaxRoomsPerConnection: 500, MaxMessageBytes));
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Read_AllSet_TakesEachByItsName()
    {
        var reader = TestSettings.Reader(("MAX_ROOMS_PER_CONNECTION", "3"));

        RoomOptions.Read(reader, MaxMessageBytes).Should().Be(new RoomOptions(3, MaxMessageBytes));
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
    [InlineData(1000, 256, 64)]
    [InlineData(65_536, 15, 15)]
    [InlineData(1024 * 1024, 1, 1)]
    public void Page_OfTheLargestMessages_FitsIntoItsBytes(int maxMessageBytes, int catchUp, int replay)
    {
        var options = new RoomOptions(500, maxMessageBytes);

        (options.CatchUpPage, options.ReplayPage).Should().Be((catchUp, replay));
    }

    [Theory]
    [InlineData("MAX_ROOMS_PER_CONNECTION", "0")]
    [InlineData("MAX_ROOMS_PER_CONNECTION", "100001")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        RoomOptions.Read(reader, MaxMessageBytes).Should().Be(RoomOptions.Read(TestSettings.Reader(), MaxMessageBytes));

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: \"{value}\" ");
    }
}
