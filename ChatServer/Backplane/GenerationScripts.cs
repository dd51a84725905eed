using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Backplane;

/// <summary>
/// The scripts that number messages, with the name of the Redis process that holds the data in their text: its <i>generation</i>, which is
/// run_id and master_replid of <c>INFO</c> (https://redis.io/docs/latest/commands/info/). A process that did not load them answers
/// NOSCRIPT, so a call that gets an answer got it from the process that it names. A room that another generation has written last goes on
/// under a new epoch.
/// </summary>
/// <param name="accept">The text of accept.lua.</param>
internal sealed partial class GenerationScripts(
    IConnectionMultiplexer redis, string accept, TimeProvider time, ILogger<GenerationScripts> logger)
{
    /// <summary>What stands for the generation if Redis does not tell (an ACL without <c>+info</c>).</summary>
    private const string Unknown = "-";

    private const int NamePart = 16;

    /// <summary>
    /// The form of what the scripts write. A room that a node of the former version has written meanwhile is taken for one that another
    /// process has written: it goes on under a new epoch, and its state is written whole.
    /// </summary>
    private const string Form = "2-";

    private static readonly string Prelude = EmbeddedScript.Load("generation.lua");
    private static readonly string ReadText = EmbeddedScript.Load("read.lua");

    private readonly IDatabase _database = redis.GetDatabase();
    private readonly Lock _gate = new();
    private Task<Loaded>? _loading;
    private volatile Loaded? _loaded;
    private bool _hasComplained;

    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public Task<RedisResult> AcceptAsync(RedisKey[] keys, RedisValue[] values) => RunAsync(scripts => scripts.Accept, keys, values);

    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public Task<RedisResult> ReadAsync(RedisKey[] keys, RedisValue[] values) => RunAsync(scripts => scripts.Read, keys, values);

    private async Task<RedisResult> RunAsync(Func<Loaded, byte[]> script, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            return await RedisCalls.TryAsync(() => RunOnceAsync(script, keys, values));
        }
        catch (RedisUnavailableException exception) when (!RedisFaults.IsOutOfMemory(exception.InnerException))
        {
            // Whoever answers next may be another process, or the same one after it was a replica for a while.
            _loaded = null;
            throw;
        }
    }

    private async Task<RedisResult> RunOnceAsync(Func<Loaded, byte[]> script, RedisKey[] keys, RedisValue[] values)
    {
        var scripts = _loaded ?? await LoadAsync();
        if (time.GetElapsedTime(scripts.CheckedAt) > RedisOptions.GenerationCheckInterval)
        {
            scripts.CheckedAt = time.GetTimestamp();
            _ = CheckAsync(scripts);
        }

        try
        {
            return await _database.ScriptEvaluateAsync(script(scripts), keys, values);
        }
        catch (RedisServerException exception) when (RedisFaults.IsScriptForgotten(exception))
        {
            // Thrown on: the call is made once more, with the scripts of the process that is there now.
            Interlocked.CompareExchange(ref _loaded, null, scripts);
            throw;
        }
    }

    /// <summary>A process that was a replica for a while keeps its scripts, but not its generation.</summary>
    private async Task CheckAsync(Loaded scripts)
    {
        try
        {
            if (await GenerationAsync() == scripts.Generation)
            {
                return;
            }
        }
        catch (Exception exception) when (RedisFaults.IsUnavailable(exception))
        {
            // It is asked again before the scripts are used again.
        }

        Interlocked.CompareExchange(ref _loaded, null, scripts);
    }

    /// <summary>Loads them once for all who need them.</summary>
    private Task<Loaded> LoadAsync()
    {
        lock (_gate)
        {
            return _loading is { IsCompleted: false } ? _loading : _loading = LoadOnceAsync();
        }
    }

    private async Task<Loaded> LoadOnceAsync()
    {
        var generation = await GenerationAsync();
        var head = $"local generation = '{Form}{generation}'\n{Prelude}";
        var scripts = new Loaded(generation, await LoadAsync(head + accept), await LoadAsync(head + ReadText), time.GetTimestamp());
        if (await GenerationAsync() != generation)
        {
            // Redis was replaced in between: its successor now knows scripts that name its predecessor, and must not.
            await _database.ExecuteAsync("SCRIPT", "FLUSH");
            throw new TimeoutException("Redis was replaced just now.");
        }

        return _loaded = scripts;
    }

    /// <returns>The script's SHA-1, as EVALSHA takes it.</returns>
    private async Task<byte[]> LoadAsync(string script) =>
        Convert.FromHexString((string)(await _database.ExecuteAsync("SCRIPT", "LOAD", script))!);

    private async Task<string> GenerationAsync()
    {
#if FAULT_INJECTION
        if (FaultInjection.Disables("generation"))
        {
            return Unknown;
        }

#endif
        try
        {
            var server = _database.ExecuteAsync("INFO", "server");
            var replication = _database.ExecuteAsync("INFO", "replication");
            return Field((string)(await server)!, "run_id:") + Field((string)(await replication)!, "master_replid:");
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("NOPERM", StringComparison.Ordinal))
        {
            if (!_hasComplained)
            {
                _hasComplained = true;
                Log.NotTold(logger, exception.Message);
            }

            return Unknown;
        }
    }

    private static string Field(string info, string name)
    {
        var start = info.IndexOf(name, StringComparison.Ordinal);
        return start < 0 ? Unknown : info.Substring(start + name.Length, NamePart);
    }

    private sealed class Loaded(string generation, byte[] accept, byte[] read, long checkedAt)
    {
        public string Generation => generation;

        public byte[] Accept => accept;

        public byte[] Read => read;

        /// <summary>When the generation was last seen, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
        public long CheckedAt { get; set; } = checkedAt;
    }

    private static partial class Log
    {
        [LoggerMessage(301, LogLevel.Warning,
            "Redis does not let this node ask for INFO, so a Redis that has fallen back to older data may go unnoticed. Allow +info. "
            + "Reason: {Why}")]
        public static partial void NotTold(ILogger logger, string why);
    }
}
