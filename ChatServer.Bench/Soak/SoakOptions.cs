using System.Globalization;

namespace ChatServer.Bench.Soak;

/// <summary>How long to soak, and under which load.</summary>
/// <param name="Minutes">Of load.</param>
/// <param name="Rate">Messages a second; 0: half of what a short closed loop shows to be possible.</param>
internal sealed record SoakOptions(double Minutes = 30, double Rate = 0)
{
    public const string Usage = """
        Usage: dotnet run -c Release --project ChatServer.Bench -- soak [--minutes M] [--rate MESSAGES-A-SECOND]
          100 rooms × 10 under half load (30 minutes) while others come and go; fails if a message is lost, doubled or out of order, or if memory keeps growing
        """;

    /// <exception cref="FormatException">An option is unknown, or its value makes no sense.</exception>
    public static SoakOptions Parse(IReadOnlyList<string> args)
    {
        var options = new SoakOptions();
        for (var index = 0; index < args.Count; index += 2)
        {
            var value = index + 1 < args.Count
                ? double.Parse(args[index + 1], CultureInfo.InvariantCulture)
                : throw new FormatException($"{args[index]} needs a value.");
            options = args[index] switch
            {
                "--minutes" => options with { Minutes = value },
                "--rate" => options with { Rate = value },
                _ => throw new FormatException($"There is no option {args[index]}."),
            };
        }

        return options;
    }
}
