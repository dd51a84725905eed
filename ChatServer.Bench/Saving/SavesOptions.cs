using System.Globalization;

namespace ChatServer.Bench.Saving;

/// <summary>How to measure saving. See <see cref="Usage"/>.</summary>
internal sealed record SavesOptions
{
    public const string Usage = """
        Usage: dotnet run -c Release --project ChatServer.Bench -- saves [options]
          how fast what waits is saved, one by one and many in a call; how long a message takes to its readers, and until it is saved
          --only backlog|journey  one of the two (both; docs/performance-saving.md is written with both only)
          --runs N                runs of each, of which the median counts (3)
          --seconds S             what saving a backlog, and the measured part of a journey, should take (5)
          --rate N                messages a second of a journey (20)
          --quick                 one short run of each
          --no-docs               do not write docs/performance-saving.md
        """;

    public bool Backlogs { get; init; } = true;

    public bool Journeys { get; init; } = true;

    public int Runs { get; init; } = 3;

    public double Seconds { get; init; } = 5;

    public double Rate { get; init; } = 20;

    public bool WritesDocs { get; init; } = true;

    /// <exception cref="FormatException">An option is unknown, or its value makes no sense.</exception>
    public static SavesOptions Parse(IReadOnlyList<string> args)
    {
        var options = new SavesOptions();
        var left = new Queue<string>(args);
        while (left.TryDequeue(out var name))
        {
            options = name switch
            {
                "--only" => Value() switch
                {
                    "backlog" => options with { Journeys = false },
                    "journey" => options with { Backlogs = false },
                    var other => throw new FormatException($"Nothing is called {other}."),
                },
                "--runs" => options with { Runs = Math.Max(1, int.Parse(Value(), CultureInfo.InvariantCulture)) },
                "--seconds" => options with { Seconds = double.Parse(Value(), CultureInfo.InvariantCulture) },
                "--rate" => options with { Rate = double.Parse(Value(), CultureInfo.InvariantCulture) },
                "--quick" => options with { Runs = 1, Seconds = 2 },
                "--no-docs" => options with { WritesDocs = false },
                _ => throw new FormatException($"There is no option {name}."),
            };

            string Value() => left.TryDequeue(out var value) ? value : throw new FormatException($"{name} needs a value.");
        }

        return options;
    }
}
