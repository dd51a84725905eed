using ChatServer.Accept;
using ChatServer.Authenticate;
using ChatServer.Control;
using ChatServer.Deliver;
using ChatServer.Demo;
using ChatServer.Files;
using ChatServer.Operate;
using ChatServer.Persist;
using ChatServer.Receive;
using ChatServer.Redis;
using ChatServer.Relay;
using ChatServer.Rooms;
using ChatServer.Settings;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ChatServer;

/// <summary>The table of contents: what the service is made of, room by room.</summary>
internal static class ChatServerExtensions
{
    public static void AddChatServer(this WebApplicationBuilder builder, ChatSettings settings)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        if (settings.IsEmbedded)
        {
            services.AddEmbeddedBackend();
        }
        else
        {
            services.AddRedisBackend(settings.Redis);
        }

        services.AddAccept(settings.Accept);
        services.AddAuthenticate(settings.Sessions);
        services.AddReceive(settings.Receive);
        services.AddFiles(settings.Files);
        services.AddRooms(settings.Rooms);
        services.AddDeliver(settings.Deliver);
        services.AddPersist(settings.Persist);
        services.AddHostedService<QuantumOrders>();
        services.AddHostedService<Goodbye>();
        if (settings.IsEmbedded)
        {
            services.AddDemoQuantum();
        }

        builder.WebHost.ConfigureKestrel(kestrel => Listeners.Configure(kestrel, settings.Accept));
    }

    public static void MapChatServer(this WebApplication app)
    {
        var endpoint = app.Services.GetRequiredService<ChatEndpoint>();
        app.Map(ChatEndpoint.Path, endpoint.ServeAsync);
        app.MapFiles();
        app.MapHealth();
        app.MapMetrics();
        if (app.Services.GetRequiredService<ChatSettings>().IsEmbedded)
        {
            app.MapDemo();
        }
    }

    private static void AddAccept(this IServiceCollection services, AcceptOptions options) =>
        services.AddSingleton(options).AddSingleton<ChatEndpoint>().AddSingleton<DirectUpgrade>();

    private static void AddAuthenticate(this IServiceCollection services, SessionOptions options) =>
        services.AddSingleton(options).AddSingleton<SessionRecordReader>().AddSingleton<Authenticator>()
            .AddSingleton<SessionWatch>().AddHostedService(provider => provider.GetRequiredService<SessionWatch>());

    private static void AddReceive(this IServiceCollection services, ReceiveOptions options) =>
        services.AddSingleton(options).AddSingleton<ConnectionLoop>().AddSingleton<Admission>().AddSingleton<ClientRequests>()
            .AddSingleton<FileRequests>().AddSingleton<RoomEntrance>().AddSingleton<Sending>();

    private static void AddRooms(this IServiceCollection services, RoomOptions options) =>
        services.AddSingleton(options).AddSingleton<RoomDirectory>().AddSingleton<Replay>().AddSingleton<RoomTracker>()
            .AddSingleton<RoomAccess>().AddSingleton<MemberLists>();

    private static void AddDeliver(this IServiceCollection services, DeliverOptions options) =>
        services.AddSingleton(options).AddSingleton<ConnectionRegistry>().AddSingleton<UserChannels>().AddHostedService<KeepAlive>();

    private static void AddPersist(this IServiceCollection services, PersistOptions options)
    {
        services.AddSingleton(options).AddSingleton<QuantumPipelines>().AddSingleton<QuantumClient>().AddSingleton<SavedNotices>().AddSingleton<Saver>()
            .AddSingleton(new SaveSlots(options.Parallel))
            .AddSingleton<IMemberSource>(provider => provider.GetRequiredService<QuantumClient>())
            .AddHostedService<OutboxWorker>().AddHostedService<WaitingFiles>();
        services.AddHttpClient(QuantumClient.ClientName, client =>
            {
                client.BaseAddress = options.QuantumUrl;

                // The Polly pipelines around each call measure the time.
                client.Timeout = Timeout.InfiniteTimeSpan;
            })
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                // Following would turn a POST into a GET; a redirect is a wrong QUANTUM_SERVER_URL.
                AllowAutoRedirect = false,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                UseCookies = false,
            })
            .RemoveAllLoggers();
    }

    private static void AddRedisBackend(this IServiceCollection services, RedisOptions options)
    {
        services.AddSingleton(options)
            .AddSingleton(provider => RedisConnection.Open(options, provider.GetRequiredService<ILogger<RedisConnection>>()))
            .AddSingleton(provider => provider.GetRequiredService<RedisConnection>().Multiplexer)
            .AddSingleton(new RedisKeys(options.Partitions))
            .AddSingleton<RedisSubscriptions>()
            .AddHostedService(provider => provider.GetRequiredService<RedisSubscriptions>())
            .AddSingleton<KeyspaceEvents>()
            .AddHostedService(provider => provider.GetRequiredService<KeyspaceEvents>())
            .AddSingleton<ISessionStore, RedisSessionStore>()
            .AddSingleton<IRelay, RedisRelay>()
            .AddSingleton<IOutbox, RedisOutbox>()
            .AddFilesInRedis();
    }

    private static void AddEmbeddedBackend(this IServiceCollection services) =>
        services.AddSingleton<MemorySessionStore>()
            .AddSingleton<ISessionStore>(provider => provider.GetRequiredService<MemorySessionStore>())
            .AddSingleton<MemoryOutbox>()
            .AddSingleton<IOutbox>(provider => provider.GetRequiredService<MemoryOutbox>())
            .AddSingleton<IRelay, MemoryRelay>()
            .AddFilesInMemory();

    /// <summary>After <see cref="AddPersist"/>, whose client of Quantum's API it points at itself.</summary>
    private static void AddDemoQuantum(this IServiceCollection services)
    {
        services.AddDemo().AddSingleton<IDemoSessions, EmbeddedSessions>();
        services.AddHttpClient(QuantumClient.ClientName)
            .ConfigureHttpClient(DemoAddress.Use)
            .ConfigurePrimaryHttpMessageHandler(DemoAddress.TrustItself);
    }
}
