using System.Text.RegularExpressions;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples;

public sealed partial class QuantumDocTests
{
    private static readonly string Page = File.ReadAllText(Repository.PathOf("docs", "quantum.md"));

    [Fact]
    public void QuantumPage_EveryPythonBlock_IsTakenFromTheFileItNames()
    {
        var blocks = PythonBlock().Matches(Page);

        blocks.Count.Should().BeGreaterThan(10).And.Be(Regex.Count(Page, "```python"), "every block says where it is from");
        blocks.Should().OnlyContain(block => IsInSample(block.Groups["file"].Value, block.Groups["code"].Value));
    }

    [Fact]
    public void QuantumPage_EveryRelativeLink_LeadsSomewhere()
    {
        foreach (var target in RelativeLink().Matches(Page).Select(link => link.Groups["target"].Value))
        {
            Path.Exists(Repository.PathOf("docs", target)).Should().BeTrue("{0} is linked", target);
        }
    }

    private static bool IsInSample(string file, string code) =>
        $"\n{File.ReadAllText(Repository.PathOf("samples", "quantum-django", file))}".Contains($"\n{code}\n", StringComparison.Ordinal);

    [GeneratedRegex(
        @"\*In `(?<file>[\w/]+\.py)`:\*\n\n```python\n(?<code>.*?)\n```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex PythonBlock();

    [GeneratedRegex(@"\]\((?<target>\.\.?/[^)#]+)", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex RelativeLink();
}
