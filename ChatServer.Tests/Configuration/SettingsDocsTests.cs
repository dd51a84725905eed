using System.Text.RegularExpressions;
using ChatServer.Endpoints;
using ChatServer.Hosting;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Configuration;

namespace ChatServer.Tests.Configuration;

public sealed partial class SettingsDocsTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData(".env.example")]
    public async Task Document_NamesEverySetting(string file)
    {
        var settings = ChatSettings.Read(new ConfigurationBuilder().Build(), ListenMode.Ws, isDevelopment: true);

        var text = await File.ReadAllTextAsync(Repository.PathOf(file));

        settings.Names.Should().HaveCountGreaterThan(25);
        Name().Matches(text).Select(match => match.Value).Should().Contain(settings.Names);
    }

    [GeneratedRegex("[A-Z]+(_[A-Z]+)+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Name();
}
