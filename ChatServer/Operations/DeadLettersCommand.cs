using System.Globalization;
using ChatServer.Configuration;
using ChatServer.Outbox;
using ChatServer.Redis;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Operations;

/// <summary>
/// <c>ChatServer dead-letters list | retry [name…] | drop name…</c>, against the Redis that the service uses. A name is
/// <c>company/room/user/identifier</c>, as the list has it, or the identifier alone: that means all letters with it for a retry, and only
/// one for a drop, which can't be undone.
/// </summary>
internal static class DeadLettersCommand
{
    /// <summary>EX_UNAVAILABLE of sysexits.h.</summary>
    private const int Unavailable = 69;

    /// <param name="output">Gets one line per letter, and one at the end.</param>
    /// <returns>The exit code: 0 if all was done; 1 if a name was not found or may mean several.</returns>
    public static async Task<int> RunAsync(RedisOptions options, IReadOnlyList<string> arguments, TextWriter output)
    {
        if (options.EndPoints.Count == 0)
        {
            await output.WriteLineAsync("There are no dead letters without Redis: set REDIS_HOST and QUANTUM_SERVER_URL.");
            return Unavailable;
        }

        await using var redis = RedisConnection.Open(options, NullLogger<RedisConnection>.Instance);
        try
        {
            var partitions = await new PartitionLayout(redis.Multiplexer, options, TimeProvider.System).FindAsync();
            var letters = new DeadLetters(redis.Multiplexer, new RedisKeys(partitions, options.Database));
            return arguments[0] switch
            {
                "list" => await ListAsync(letters, output),
                "retry" => await DoAsync(letters, arguments.Skip(1), "retried", letters.RetryAsync, mayMeanSeveral: true, output),
                _ => await DoAsync(letters, arguments.Skip(1), "dropped", letters.DropAsync, mayMeanSeveral: false, output),
            };
        }
        catch (RedisUnavailableException exception)
        {
            await SayAsync(output, $"{ForeignText.Cut(exception.Message)} (REDIS_HOST, REDIS_PORT, REDIS_USER, REDIS_PASSWORD)");
            return Unavailable;
        }
    }

    private static async Task<int> ListAsync(DeadLetters letters, TextWriter output)
    {
        var count = 0;
        await foreach (var letter in letters.ListAsync())
        {
            count++;
            await SayAsync(output, $"{letter.At}  {NameOf(letter)}  seq {letter.Message.Seq}  {ForeignText.Cut(letter.Reason)}");
        }

        await output.WriteLineAsync($"{count} dead letters");
        return 0;
    }

    private static async Task<int> DoAsync(
        DeadLetters letters, IEnumerable<string> names, string done, Func<DeadLetter, ValueTask<bool>> act, bool mayMeanSeveral,
        TextWriter output)
    {
        // Listed first: one that is retried and fails again must not be found a second time.
        var all = await letters.ListAsync().ToListAsync();
        var named = names.ToHashSet(StringComparer.Ordinal);
        var (chosen, code) = (new HashSet<DeadLetter>(named.Count == 0 ? all : []), 0);
        foreach (var name in named)
        {
            var meant = Named(all, name, NameOf);
            meant = meant.Count > 0 ? meant : Named(all, name, letter => letter.Message.Identifier);
            var candidates = meant.Select(NameOf).Distinct(StringComparer.Ordinal).ToList();
            if (candidates.Count == 0)
            {
                code = 1;
                await SayAsync(output, $"There is no dead letter {name}.");
            }
            else if (candidates.Count > 1 && !mayMeanSeveral)
            {
                code = 1;
                await SayAsync(output, $"{name} may mean several; name the one that you mean: {string.Join(' ', candidates)}");
            }
            else
            {
                chosen.UnionWith(meant);
            }
        }

        var count = 0;
        foreach (var letter in all.Where(chosen.Contains))
        {
            count += await act(letter) ? 1 : 0;
        }

        await output.WriteLineAsync($"{count} {done}");
        return code;
    }

    /// <summary>By the name itself or, where there is none, by the name as the list shows it.</summary>
    private static List<DeadLetter> Named(List<DeadLetter> all, string name, Func<DeadLetter, string> nameOf)
    {
        var named = all.FindAll(letter => name == nameOf(letter));
        return named.Count > 0 ? named : all.FindAll(letter => name == ForeignText.Escape(nameOf(letter)));
    }

    /// <summary>Clients choose identifiers, and Quantum reasons: neither may steer the terminal.</summary>
    private static Task SayAsync(TextWriter output, string line) => output.WriteLineAsync(ForeignText.Escape(line));

    private static string NameOf(DeadLetter letter) => string.Create(
        CultureInfo.InvariantCulture,
        $"{letter.Message.CompanyId}/{letter.Message.RoomId}/{letter.Message.FromUserId}/{letter.Message.Identifier}");
}
