using System.Globalization;
using System.Text.RegularExpressions;
using ChatServer.Protocol;
using ChatServer.Tests.Architecture.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging;
using Mono.Cecil;

namespace ChatServer.Tests.Architecture;

/// <summary>Operators find a log line's folder by its event id, and its class by its category.</summary>
public sealed partial class LogEventTests : IDisposable
{
    private readonly ModuleDefinition _module = ModuleDefinition.ReadModule(typeof(CloseReason).Assembly.Location);

    [Fact]
    public void EveryEventId_IsUniqueAndInTheRangeOfItsFolder()
    {
        var ranges = Row().Matches(File.ReadAllText(Repository.PathOf("docs/operations.md")))
            .ToDictionary(row => row.Groups["folder"].Value, row => (From: Number(row, "from"), To: Number(row, "to")));
        var events = Events().ToList();

        events.Should().NotBeEmpty();
        events.Select(each => each.Id).Should().OnlyHaveUniqueItems();
        events.Where(each => !ranges.TryGetValue(each.Folder, out var range) || each.Id < range.From || each.Id > range.To)
            .Should().BeEmpty("docs/operations.md says which folder has which event ids");
    }

    [Fact]
    public void EveryLogLine_StandsInANestedLogClass() => Events().Where(each => each.Class != "Log").Should().BeEmpty();

    [Fact]
    public void EveryCategory_IsTheClassThatLogs()
    {
        var loggers = _module.GetTypes()
            .SelectMany(type => type.Methods.Where(method => method.IsConstructor).SelectMany(method => method.Parameters)
                .Select(parameter => parameter.ParameterType)
                .OfType<GenericInstanceType>()
                .Where(each => each.ElementType.Name == typeof(ILogger<>).Name)
                .Select(each => (Owner: type.Name, Category: each.GenericArguments[0].Name)))
            .ToList();

        loggers.Should().NotBeEmpty();
        loggers.Where(each => each.Owner != each.Category && !Opens(each.Owner, each.Category)).Should().BeEmpty();
    }

    public void Dispose() => _module.Dispose();

    /// <summary>The connection for files is one of those whose breaking is logged.</summary>
    private static bool Opens(string owner, string category) => (owner, category) is ("FileConnection", "RedisConnection");

    private static int Number(Match row, string group) => int.Parse(row.Groups[group].Value, CultureInfo.InvariantCulture);

    private IEnumerable<(int Id, string Folder, string Class, string Method)> Events() =>
        from type in _module.GetTypes()
        from method in type.Methods
        from attribute in method.CustomAttributes
        where attribute.AttributeType.Name == nameof(LoggerMessageAttribute)
        select ((int)attribute.ConstructorArguments[0].Value, FolderOf(type), type.Name, method.Name);

    private static string FolderOf(TypeDefinition type)
    {
        while (type.DeclaringType is { } outer)
        {
            type = outer;
        }

        return Folders.OfNamespace(type.Namespace) ?? "";
    }

    [GeneratedRegex(@"^\| `(?<folder>[\w/]+)/` \| (?<from>\d+)–(?<to>\d+) \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Row();
}
