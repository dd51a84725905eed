using ChatServer.Outbox;
using ChatServer.Redis;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Operations;

/// <summary>
/// <c>ChatServer dead-letters list | retry [identifier…] | drop identifier…</c>, against the Redis that the service uses.
/// </summary>
internal static class DeadLettersCommand
{
    /// <summary>EX_UNAVAILABLE of sysexits.h.</summary>
    private const int Unavailable = 69;

    /// <param name="output">Gets one line per letter, and one at the end.</param>
    /// <returns>The exit code: 0 if all was done; 1 if an identifier was not found.</returns>
    public static async Task<int> RunAsync(RedisOptions options, IReadOnlyList<string> arguments, TextWriter output)
    {
        if (options.EndPoints.Count == 0)
        {
            await output.WriteLineAsync("There are no dead letters without Redis: set REDIS_HOST and QUANTUM_SERVER_URL.");
            return Unavailable;
        }

        await using var redis = RedisConnection.Open(options, NullLogger<RedisConnection>.Instance);
        var letters = new DeadLetters(redis.Multiplexer, new RedisKeys(options.Partitions));
        try
        {
            return arguments[0] switch
            {
                "list" => await ListAsync(letters, output),
                "retry" => await DoAsync(letters, arguments.Skip(1), "retried", letters.RetryAsync, output),
                _ => await DoAsync(letters, arguments.Skip(1), "dropped", letters.DropAsync, output),
            };
        }
        catch (RedisUnavailableException exception)
        {
            await output.WriteLineAsync($"{exception.Message} (REDIS_HOST, REDIS_PORT, REDIS_USER, REDIS_PASSWORD)");
            return Unavailable;
        }
    }

    private static async Task<int> ListAsync(DeadLetters letters, TextWriter output)
    {
        var count = 0;
        await foreach (var letter in letters.ListAsync())
        {
            count++;
            var message = letter.Message;
            await output.WriteLineAsync(
                $"{letter.At}  company {message.CompanyId}  room {message.RoomId}  seq {message.Seq}  user {message.FromUserId}  "
                + $"{message.Identifier}  {letter.Reason}");
        }

        await output.WriteLineAsync($"{count} dead letters");
        return 0;
    }

    private static async Task<int> DoAsync(
        DeadLetters letters, IEnumerable<string> identifiers, string done, Func<DeadLetter, ValueTask<bool>> act, TextWriter output)
    {
        var named = identifiers.ToHashSet(StringComparer.Ordinal);
        var missing = named.ToHashSet(StringComparer.Ordinal);
        var count = 0;

        // Listed first: one that is retried and fails again must not be found a second time.
        foreach (var letter in await letters.ListAsync().ToListAsync())
        {
            if ((named.Count == 0 || named.Contains(letter.Message.Identifier)) && await act(letter))
            {
                count++;
                missing.Remove(letter.Message.Identifier);
            }
        }

        foreach (var identifier in missing)
        {
            await output.WriteLineAsync($"There is no dead letter {identifier}.");
        }

        await output.WriteLineAsync($"{count} {done}");
        return missing.Count == 0 ? 0 : 1;
    }
}
