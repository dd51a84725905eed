using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Embedded;
using ChatServer.Embedded.Demo;
using ChatServer.Endpoints;
using ChatServer.Files;
using ChatServer.Operations;
using ChatServer.Outbox;
using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using ChatServer.Requests;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;
using ChatServer.Sessions;
using ChatServer.Users;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ChatServer.Hosting;

/// <summary>The table of contents: what the service is made of, folder by folder.</summary>
internal static class ChatServerExtensions
{
    public static void AddChatServer(this WebApplicationBuilder builder, ChatSettings settings)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(RoomOptions.Log);
        if (settings.IsEmbedded)
        {
            services.AddEmbedded();
        }
        else
        {
            services.AddRedis(settings.Redis).AddPartitionLayout().AddRedisSubscriptions().AddRedisBackplane().AddRedisFiles()
                .AddRedisSessions().AddRedisOutbox();
        }

        services.AddFiles(settings.Files)
            .AddSessions(settings.Sessions)
            .AddConnections(settings.Connections)
            .AddQuantum(settings.Quantum)
            .AddRoomAccess(settings.RoomAccess)
            .AddRooms(settings.Rooms)
            .AddOutbox(settings.Outbox)
            .AddUsers()
            .AddRequests(settings.Requests)
            .AddEndpoints(settings.Endpoints)
            .AddOperations(settings.Operations);
        if (settings.IsEmbedded)
        {
            services.AddDemo();
        }

        builder.WebHost.ConfigureKestrel(kestrel => Listeners.Configure(kestrel, settings.Endpoints));
        builder.Services.AddSingleton(settings);
    }

    public static void MapChatServer(this WebApplication app)
    {
        app.MapChat();
        app.MapFiles();
        app.MapHealth();
        app.MapMetrics();
        if (app.Services.GetRequiredService<ChatSettings>().IsEmbedded)
        {
            app.MapDemo();
        }
    }
}
