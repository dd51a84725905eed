using ChatServer.Tests.Samples.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples;

public sealed class DockerContextTests
{
    [Theory]
    [InlineData("ChatServer/Program.cs", true)]
    [InlineData("Directory.Build.props", true)]
    [InlineData(".env", false)]
    [InlineData("ChatServer/.env", false)]
    [InlineData("certs/dev-key.pem", false)]
    [InlineData("ChatServer/dev-key.pem", false)]
    [InlineData("ChatServer/bin/Release/net10.0/ChatServer.dll", false)]
    [InlineData("ChatServer.Tests/SmokeTests.cs", false)]
    [InlineData(".git/HEAD", false)]
    public void Context_HoldsTheServiceAndNoSecrets(string path, bool expected) =>
        new DockerContext(Repository.Root).Contains(path).Should().Be(expected);
}
