using System.Text.RegularExpressions;
using ChatServer.Protocol;
using ChatServer.Tests.Architecture.Support;
using ChatServer.Tests.Support;
using Mono.Cecil;

namespace ChatServer.Tests.Architecture;

/// <summary>The folders of the service have an order, so that they form no cycle and a reader knows which way to go.</summary>
public sealed partial class FolderOrderTests
{
    private static readonly IReadOnlyCollection<Use> Uses = ReadUses();

    [Fact]
    public void EveryFolder_UsesOnlyThoseBeforeIt()
    {
        var order = Folders.Order.ToList();

        Uses.Where(use => order.IndexOf(use.To) >= order.IndexOf(use.From)).Should().BeEmpty("a folder may use those before it only");
    }

    [Fact]
    public void EveryFolder_HasItsPlaceInTheOrder()
    {
        var root = Repository.PathOf("ChatServer");
        var withCode = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetDirectoryName(Path.GetRelativePath(root, file))!.Replace('\\', '/'))
            .Where(folder => folder.Length > 0 && folder.Split('/')[0] is not ("obj" or "bin"))
            .Distinct();

        withCode.Should().BeEquivalentTo(Folders.Order);
    }

    /// <summary>Without them the tests above would find nothing and pass.</summary>
    [Fact]
    public void Uses_AreFoundInBothWays()
    {
        Uses.Should().Contain(new Use("Rooms", "Backplane", "ChatServer.Rooms.Room"));
        Uses.Should().Contain(new Use("Rooms", "Backplane", "Rooms/Room.cs"));
    }

    [Fact]
    public void Documentation_ShowsTheOrderAndEachFoldersUses()
    {
        var rows = Row().Matches(File.ReadAllText(Repository.PathOf("docs/architecture.md")));

        rows.Select(row => row.Groups["folder"].Value).Should().Equal(Folders.Order, "docs/architecture.md has a row for each in order");
        foreach (Match row in rows)
        {
            var folder = row.Groups["folder"].Value;
            var said = row.Groups["uses"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            var uses = Uses.Where(use => use.From == folder).Select(use => use.To).Distinct().OrderBy(Folders.Order.ToList().IndexOf);
            said.Should().Equal(uses, "the row of {0} must name what it uses: {1}", folder, string.Join(", ", uses));
        }
    }

    [Fact]
    public void Documentation_NamesFilesThatExist()
    {
        var text = File.ReadAllText(Repository.PathOf("docs/architecture.md"));
        var named = FileName().Matches(text).Select(match => match.Groups["path"].Value);

        named.Should().HaveCountGreaterThan(40);
        named.Where(path => !File.Exists(Repository.PathOf("ChatServer", path))).Should().BeEmpty();
    }

    private static HashSet<Use> ReadUses()
    {
        using var module = ModuleDefinition.ReadModule(typeof(CloseReason).Assembly.Location);
        return [.. CompiledUses.Of(module), .. SourceUses.Of("ChatServer")];
    }

    [GeneratedRegex(@"`(?<path>[A-Z]\w+/[\w/-]+\.(cs|lua))`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex FileName();

    [GeneratedRegex(@"^\| `(?<folder>[\w/]+)/` \|[^|]*\|(?<uses>[^|]*)\|$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Row();
}
