using System.Collections.Concurrent;
using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Sessions;

namespace ChatServer.Outbox;

/// <summary>
/// Chooses the REST token that a save goes out with: the service's own if it has one, else the one with which the sender wrote last, else,
/// where Quantum has refused that, one of the sender's sessions that live.
/// </summary>
internal sealed partial class SenderTokens(UserTokens users, QuantumOptions quantum, TimeProvider time, ILogger<SenderTokens> logger)
{
    private readonly ConcurrentDictionary<string, long> _refused = new(StringComparer.Ordinal);

    /// <summary>Whether senders' tokens do not matter.</summary>
    public bool AreTheServicesOwn => quantum.ServiceToken is not null;

    /// <returns>Null if there is none that Quantum has not refused lately.</returns>
    /// <exception cref="RedisUnavailableException">The sender's sessions can't be looked up now.</exception>
    public async ValueTask<string?> ChooseAsync(long sender, CancellationToken cancellation)
    {
        if (quantum.ServiceToken is { } own)
        {
            return IsRefused(own) ? null : own;
        }

        if (await users.NewestAsync(sender) is { } newest && !IsRefused(newest))
        {
            return newest;
        }

        if ((await users.LiveAsync(sender, cancellation)).FirstOrDefault(token => !IsRefused(token)) is { } live)
        {
            return live;
        }

        // Who has logged in again and written nothing since is known to the node of the connection alone.
        await users.AskAsync(sender);
        return null;
    }

    /// <summary>Quantum does not know the token (401). It is left alone for a while, so that not each message of its user asks again.</summary>
    public void Refused(string token)
    {
        if (AreTheServicesOwn)
        {
            Log.ServiceTokenRefused(logger);
        }

        if (_refused.Count >= OutboxOptions.MaxRefusedTokens)
        {
            _refused.Clear();
        }

        _refused[token] = time.GetTimestamp();
    }

    private bool IsRefused(string token)
    {
        if (!_refused.TryGetValue(token, out var at))
        {
            return false;
        }

        if (time.GetElapsedTime(at) < OutboxOptions.TokenRefusedFor)
        {
            return true;
        }

        _refused.TryRemove(token, out _);
        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(950, LogLevel.Error,
            "Quantum refuses QUANTUM_SERVICE_TOKEN (401): no message can be saved until it is a token that Quantum knows.")]
        public static partial void ServiceTokenRefused(ILogger logger);
    }
}
