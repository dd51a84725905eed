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
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));

        QuantumOptions.Read(reader);

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: ");
    }
}
