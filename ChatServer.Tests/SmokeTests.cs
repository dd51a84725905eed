namespace ChatServer.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void One() => (1 + 1).Should().Be(2);
}
