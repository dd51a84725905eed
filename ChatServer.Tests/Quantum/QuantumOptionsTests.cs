using ChatServer.Quantum;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Quantum;

public sealed class QuantumOptionsTests
{
    [Fact]
    public void Read_NothingSet_HasNoAddressAndTenSecondsATry()
    {
        var reader = TestSettings.Reader();

        QuantumOptions.Read(reader).Should().Be(new QuantumOptions(null, TimeSpan.FromSeconds(10)));
        reader.Mistakes.Should().BeEmpty();
    }

    [Theory]
    [InlineData("http://quantum:8000", "http://quantum:8000/")]
    [InlineData("https://quantum.example/api", "https://quantum.example/api/")]
    [InlineData("https://quantum.example/api/", "https://quantum.example/api/")]
    public void Read_AnAddress_EndsInASlashSoThatItsPathIsKept(string url, string read) =>
        QuantumOptions.Read(TestSettings.Reader(("QUANTUM_SERVER_URL", url))).Url.Should().Be(new Uri(read));

    [Theory]
    [InlineData("QUANTUM_SERVER_URL", "quantum:8000")]
    [InlineData("QUANTUM_SERVER_URL", "ftp://quantum/")]
    [InlineData("QUANTUM_TIMEOUT", "0")]
    [InlineData("QUANTUM_TIMEOUT", "301")]
    [InlineData("SAVE_BATCH", "0")]
    [InlineData("SAVE_BATCH", "501")]
    [InlineData("SAVE_BATCH", "many")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        QuantumOptions.Read(reader);

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: ");
    }

    [Theory]
    [InlineData("1", null)]
    [InlineData("1", "s3cret")]
    [InlineData("2", "s3cret")]
    [InlineData("500", "s3cret")]
    public void Read_ABatchThatAllMaySave_IsTaken(string batch, string? token)
    {
        var reader = TestSettings.Reader(("SAVE_BATCH", batch), ("QUANTUM_SERVICE_TOKEN", token));

        $"{QuantumOptions.Read(reader).SaveBatch}".Should().Be(batch);
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Read_ABatchWithoutATokenOfTheServicesOwn_IsAMistake()
    {
        var reader = TestSettings.Reader(("SAVE_BATCH", "2"), ("QUANTUM_SERVICE_TOKEN", " "));

        QuantumOptions.Read(reader);

        reader.Mistakes.Should().Equal(
            "SAVE_BATCH: 2 messages in one call have several senders, so the call needs a token that may save for all: "
            + "set QUANTUM_SERVICE_TOKEN, or SAVE_BATCH to 1.");
    }

    [Fact]
    public void ToString_NeverShowsTheToken() =>
        QuantumOptions.Read(TestSettings.Reader(("QUANTUM_SERVICE_TOKEN", "s3cret"))).ToString().Should().NotContain("s3cret");
}
