using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ChatServer.Embedded.Demo;

/// <summary>
/// The logins of the page, as Quantum makes them (contract 2.1): a session key K, the record stored under it, and the token, K in base64.
/// </summary>
internal sealed class DemoLogins(DemoQuantum quantum, IDemoSessions sessions, TimeProvider time)
{
    public static readonly TimeSpan TimeToLive = TimeSpan.FromHours(24);

    /// <summary>Beyond it the oldest login ends: a demo that runs for weeks must not grow.</summary>
    public const int MaxLogins = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Login> _byToken = new(StringComparer.Ordinal);
    private readonly Queue<Login> _oldestFirst = new();

    /// <returns>Null if the demo has no place for another user.</returns>
    public LoginAnswer? Enter(string name)
    {
        if (!quantum.TryGetOrAddUser(name, out var user, out var tokenKey))
        {
            return null;
        }

        var company = DemoCompany.Only;
        var sessionKey = string.Create(
            CultureInfo.InvariantCulture, $"{RandomNumberGenerator.GetHexString(32, lowercase: true)}_{company.Id}_{user.Id}");
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes(sessionKey));
        var record = JsonSerializer.SerializeToUtf8Bytes(new SessionRecord(tokenKey, user, company), DemoJson.Default.SessionRecord);
        sessions.Put(sessionKey, record, TimeToLive);
        Remember(new Login(token, sessionKey, user, time.GetUtcNow() + TimeToLive));
        return new LoginAnswer(token, user, company, quantum.RoomsOf(user.Id));
    }

    public DemoUser? UserOf(string token)
    {
        lock (_lock)
        {
            return _byToken.TryGetValue(token, out var login) && login.ExpiresAt > time.GetUtcNow() ? login.User : null;
        }
    }

    /// <summary>Ends a login; an unknown token is no error.</summary>
    public void Leave(string token)
    {
        Login? login;
        lock (_lock)
        {
            _byToken.Remove(token, out login);
        }

        if (login is not null)
        {
            sessions.Remove(login.SessionKey);
        }
    }

    private void Remember(Login login)
    {
        Login? oldest = null;
        lock (_lock)
        {
            _byToken.Add(login.Token, login);
            _oldestFirst.Enqueue(login);
            if (_oldestFirst.Count > MaxLogins)
            {
                oldest = _oldestFirst.Dequeue();
            }
        }

        if (oldest is not null)
        {
            Leave(oldest.Token);
        }
    }

    private sealed record Login(string Token, string SessionKey, DemoUser User, DateTimeOffset ExpiresAt);
}
