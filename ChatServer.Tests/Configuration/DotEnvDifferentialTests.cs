using System.Text;
using System.Text.Json;
using ChatServer.Configuration;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Configuration;

/// <summary>Quantum reads the same .env file with python-dotenv: what both understand they must understand in the same way.</summary>
public sealed class DotEnvDifferentialTests
{
    private const int Files = 3000;

    /// <summary>Reads files from a JSON list on its standard input and writes what python-dotenv makes of each.</summary>
    private const string Script = """
        import io, json, logging, sys
        from dotenv import dotenv_values
        logging.disable(logging.CRITICAL)
        read = lambda text: dict(dotenv_values(stream=io.StringIO(text, newline=''), interpolate=False))
        print(json.dumps([read(text) for text in json.load(open(sys.argv[1], encoding='utf-8'))]))
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The signs that mean something, and some that do not.</summary>
    private static readonly string[] Pieces =
    [
        "=", "'", "\"", "#", " #", " ", "\t", "\n", "\n", "\r\n", "\\", "\\n", "\\'", "\\\"", "\\\\", "$X", "${X}", "export ",
        "A=", "B = ", "C_1='", "D=\"", "x", "y z", "ä€", ":", ",", "1", "-", ".",
    ];

    [Fact]
    public async Task RandomFiles_ThatAreUnderstood_GiveWhatPythonDotenvGives()
    {
        var random = new Random(20);
        var texts = Enumerable.Range(0, Files).Select(_ => Draw(random)).ToList();

        var expected = await ReadWithPythonAsync(texts);

        var understood = 0;
        foreach (var (text, python) in texts.Zip(expected))
        {
            var ours = DotEnvText.Parse(text);
            if (ours.Mistakes.Count == 0)
            {
                understood++;
                ours.Settings.Should().Equal(python, "of {0}", JsonSerializer.Serialize(text));
            }
        }

        understood.Should().BeGreaterThan(Files / 10, "files that nobody understands compare nothing");
    }

    private static string Draw(Random random)
    {
        var text = new StringBuilder();
        for (var left = random.Next(1, 5); left > 0; left--)
        {
            text.Append($"{(random.Next(4) == 0 ? "export " : "")}{(char)('A' + random.Next(6))}{(random.Next(3) == 0 ? " = " : "=")}");
            for (var pieces = random.Next(6); pieces > 0; pieces--)
            {
                text.Append(Pieces[random.Next(Pieces.Length)]);
            }

            text.Append(random.Next(8) == 0 ? "\r\n" : "\n");
        }

        return text.ToString();
    }

    private static async Task<List<Dictionary<string, string>>> ReadWithPythonAsync(IReadOnlyList<string> texts)
    {
        var folder = Directory.CreateTempSubdirectory("dotenv-");
        try
        {
            var file = Path.Combine(folder.FullName, "texts.json");
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(texts));
            var (exitCode, output) = await BoundedProcess.RunAsync(["/usr/bin/python3", "-c", Script, file], folder.FullName, Patience);
            exitCode.Should().Be(0, "python-dotenv is needed (apt-get install -y python3-dotenv): {0}", output);
            var all = JsonSerializer.Deserialize<List<Dictionary<string, string?>>>(output.Trim())!;

            // A name without = is a mistake here, and no setting there.
            return [.. all.Select(
                one => one.Where(setting => setting.Value is not null).ToDictionary(each => each.Key, each => each.Value!))];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
