using ChatServer.Configuration;

namespace ChatServer.Sessions;

/// <summary>How Quantum stores the value of a session.</summary>
internal enum SessionEncryption
{
    None,
    Base64,
    Fernet,
}

/// <summary>How sessions are stored, and how often they are looked up again.</summary>
internal sealed class SessionOptions
{
    /// <summary>Sessions that are looked up in one go.</summary>
    public const int LookUpsAtOnce = 1000;

    /// <summary>Sessions of a user that are remembered.</summary>
    public const int SessionsRemembered = 20;

    /// <summary>Users whose tokens are at hand at which they are all forgotten.</summary>
    public const int MaxTokensCached = 10_000;

    /// <summary>Ends of sessions, told by Quantum, that are remembered.</summary>
    public const int MaxEndsRemembered = 100_000;

    /// <summary>How long a session without an end is remembered after it was seen.</summary>
    public static readonly TimeSpan EndlessRemembered = TimeSpan.FromDays(30);

    /// <summary>How long a copy of a user's REST token outlives the session: messages may wait for Quantum that long.</summary>
    public static readonly TimeSpan TokenOutlivesSession = TimeSpan.FromDays(7);

    /// <summary>How long a token that was looked up is used for the user's next messages, without another look.</summary>
    public static readonly TimeSpan TokenCachedFor = TimeSpan.FromSeconds(30);

    /// <summary>How long an end that Quantum has told is remembered: longer than it takes from a session's look-up to its watch.</summary>
    public static readonly TimeSpan EndRemembered = TimeSpan.FromSeconds(30);

    /// <summary>How often connections whose session has reached its end are looked for.</summary>
    public static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>SESSION_ENCRYPTION.</summary>
    public SessionEncryption Encryption { get; init; }

    /// <summary>FERNET_KEYS, the newest first, each of <see cref="Fernet.KeyLength"/> bytes.</summary>
    public IReadOnlyList<byte[]> FernetKeys { get; init; } = [];

    /// <summary>Whether messages are saved with their senders' tokens, which are kept for it; not with QUANTUM_SERVICE_TOKEN.</summary>
    public bool KeepsTokens { get; init; } = true;

    /// <summary>SESSION_RECHECK: how long an ended session may go unnoticed if Redis does not announce it.</summary>
    public TimeSpan Recheck { get; init; } = TimeSpan.FromSeconds(30);

    public static SessionOptions Read(SettingReader reader)
    {
        var encryption = reader.Choice("SESSION_ENCRYPTION", SessionEncryption.None);
        return new SessionOptions
        {
            Encryption = encryption,
            FernetKeys = ReadFernetKeys(reader, required: encryption == SessionEncryption.Fernet),
            KeepsTokens = reader.Text("QUANTUM_SERVICE_TOKEN") is null,
            Recheck = reader.Seconds("SESSION_RECHECK", 30, min: 1, max: 3600),
        };
    }

    private static List<byte[]> ReadFernetKeys(SettingReader reader, bool required)
    {
        const string name = "FERNET_KEYS";
        var texts = reader.List(name);
        if (required && texts.Count == 0)
        {
            reader.Mistake(name, "is not set; SESSION_ENCRYPTION=fernet needs at least one key.");
        }

        var keys = new List<byte[]>(texts.Count);
        for (var i = 0; i < texts.Count; i++)
        {
            if (Fernet.TryReadKey(texts[i], out var key))
            {
                keys.Add(key);
            }
            else
            {
                reader.Mistake(name, $"key {i + 1} of {texts.Count} is not {Fernet.KeyLength} bytes in base64url.");
            }
        }

        return keys;
    }
}
