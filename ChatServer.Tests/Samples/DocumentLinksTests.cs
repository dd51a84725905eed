using System.Text.RegularExpressions;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples;

/// <summary>What the documents point to is there: above all the tests that README.md names for each promise.</summary>
public sealed partial class DocumentLinksTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("CHANGELOG.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("certs/README.md")]
    [InlineData("docs/architecture.md")]
    [InlineData("docs/operations.md")]
    [InlineData("docs/performance.md")]
    [InlineData("docs/protocol.md")]
    [InlineData("docs/security.md")]
    [InlineData("samples/quantum-django/README.md")]
    public void Document_EveryRelativeLink_LeadsSomewhere(string file)
    {
        var path = Repository.PathOf(file);

        foreach (var target in RelativeLink().Matches(File.ReadAllText(path)).Select(link => link.Groups["target"].Value))
        {
            Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, target)).Should().BeTrue("{0} links to {1}", file, target);
        }
    }

    [Fact]
    public void Readme_EveryPromise_NamesATest()
    {
        var promises = Promise().Matches(File.ReadAllText(Repository.PathOf("README.md"))).Select(row => row.Value).ToList();

        promises.Should().HaveCountGreaterThan(8).And.OnlyContain(row => row.Contains("Tests.cs)"));
    }

    [GeneratedRegex(@"\]\((?!https?:|#)(?<target>[^)#]+)", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex RelativeLink();

    [GeneratedRegex(@"^\| \*\*.*$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Promise();
}
