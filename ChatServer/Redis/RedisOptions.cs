using System.Globalization;
using System.Net;
using ChatServer.Configuration;
using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>What kind of Redis it is.</summary>
internal enum RedisMode
{
    Single,
    Sentinel,
    Cluster,
}

/// <summary>How Redis is reached.</summary>
/// <param name="EndPoints">Host and port; null if no REDIS_HOST is set.</param>
/// <param name="User">The ACL user.</param>
/// <param name="Password">Never logged.</param>
/// <param name="Database">The database that holds Quantum's sessions; all of ChatServer's keys are there too.</param>
/// <param name="Tls">Whether the connection is encrypted.</param>
/// <param name="SetKeyspaceEvents">Whether ChatServer may switch Redis's keyspace notifications on.</param>
/// <param name="Partitions">Over how many partitions rooms are spread; null: what Redis says, else the default.</param>
internal sealed record RedisOptions(
    IReadOnlyList<DnsEndPoint> EndPoints, string? User, string? Password, int Database, bool Tls, int? Partitions, bool SetKeyspaceEvents)
{
    /// <summary>So many spread well over up to some dozens of masters; the number can't be changed once there is data.</summary>
    public const int DefaultPartitions = 1024;

    /// <summary>What it was in the versions that did not write it down.</summary>
    public const int FormerDefaultPartitions = 64;

    public const int MaxPartitions = 1024;

    /// <summary>An answer that takes longer counts as none: clients are told within 2 s that nothing was accepted.</summary>
    public static readonly TimeSpan AnswerWithin = TimeSpan.FromMilliseconds(1800);

    /// <summary>Making a connection may take that long.</summary>
    public static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(2);

    /// <summary>How often the connection for commands is looked at, and how long it waits between two tries to come back.</summary>
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>How often the subscriber connection is probed: a message to itself must come back.</summary>
    public static readonly TimeSpan ProbeInterval = TimeSpan.FromSeconds(1);

    /// <summary>After so long without a probe the subscriber connection counts as dead and is replaced.</summary>
    public static readonly TimeSpan ProbeLostAfter = TimeSpan.FromSeconds(2.5);

    /// <summary>The pause between two tries to open a subscriber connection.</summary>
    public static readonly TimeSpan ReconnectPause = TimeSpan.FromMilliseconds(250);

    /// <summary>The pause before a subscription that could not be made is tried again.</summary>
    public static readonly TimeSpan ResubscribePause = TimeSpan.FromSeconds(1);

    /// <summary>How often, at most, a node asks whether the process that holds the data is still the same.</summary>
    public static readonly TimeSpan GenerationCheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>How often a node makes sure that Redis still holds data of the layout that it knows.</summary>
    public static readonly TimeSpan LayoutCheckInterval = TimeSpan.FromSeconds(2);

    /// <summary>The pause before Redis is asked again for its keyspace notifications.</summary>
    public static readonly TimeSpan KeyspaceEventsPause = TimeSpan.FromSeconds(5);

    /// <summary>Subscriptions that are made at once on a new subscriber connection.</summary>
    public const int SubscribeAtOnce = 500;

    /// <summary>The name of our connections in Redis's CLIENT LIST.</summary>
    public const string ClientName = "ChatServer";

    private const int DefaultPort = 6379;

    public static RedisOptions Read(SettingReader settings)
    {
        var port = settings.Int("REDIS_PORT", DefaultPort, 1, 65535);
        var endPoints = new List<DnsEndPoint>();
        foreach (var entry in settings.List("REDIS_HOST"))
        {
            if (EndPoint(entry, port) is { } endPoint)
            {
                endPoints.Add(endPoint);
            }
            else
            {
                settings.Mistake("REDIS_HOST", $"{settings.Shown("REDIS_HOST", entry)} is not a host or host:port.");
            }
        }

        if (settings.Choice("REDIS_MODE", RedisMode.Single) != RedisMode.Single || endPoints.Count > 1)
        {
            settings.Mistake("REDIS_MODE", "this version works with single, one server in REDIS_HOST.");
        }

        return new(
            endPoints,
            settings.Text("REDIS_USER"),
            settings.Text("REDIS_PASSWORD"),
            settings.Int("CHAT_REDIS_DATABASE", 0, 0, 1_000_000),
            settings.Switch("CHAT_REDIS_TLS", false),
            settings.Text("CHAT_PARTITIONS") is null ? null : settings.Int("CHAT_PARTITIONS", DefaultPartitions, 1, MaxPartitions),
            settings.Switch("CHAT_SET_KEYSPACE_EVENTS", false));
    }

    public ConfigurationOptions ToConfiguration()
    {
        var configuration = new ConfigurationOptions
        {
            User = User,
            Password = Password,
            DefaultDatabase = Database,
            Ssl = Tls,
            ClientName = ClientName,
            AbortOnConnectFail = false,
            ConnectTimeout = (int)ConnectWithin.TotalMilliseconds,
            AsyncTimeout = (int)AnswerWithin.TotalMilliseconds,
            HeartbeatInterval = HeartbeatInterval,
            ReconnectRetryPolicy = new LinearRetry((int)HeartbeatInterval.TotalMilliseconds),
            KeepAlive = 10,

            // They go into logs, and the name of a session's key is as good as a password.
            IncludeDetailInExceptions = false,

            // CONFIG GET tells whether keyspace notifications are on.
            AllowAdmin = true,
        };
        foreach (var endPoint in EndPoints)
        {
            configuration.EndPoints.Add(endPoint.Host, endPoint.Port);
        }

        return configuration;
    }

    private static DnsEndPoint? EndPoint(string entry, int defaultPort)
    {
        // In brackets it may have a port, which TryParse would drop silently.
        if (!entry.StartsWith('[') && IPAddress.TryParse(entry, out var address))
        {
            return new(address.ToString(), defaultPort);
        }

        var colon = entry.EndsWith(']') ? -1 : entry.LastIndexOf(':');
        var host = (colon < 0 ? entry : entry[..colon]).Trim('[', ']');
        var port = defaultPort;
        if (colon >= 0
            && (!int.TryParse(entry[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
        {
            return null;
        }

        return Uri.CheckHostName(host) == UriHostNameType.Unknown ? null : new(host, port);
    }
}
