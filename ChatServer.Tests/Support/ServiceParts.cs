using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Embedded;
using ChatServer.Files;
using ChatServer.Quantum;
using ChatServer.Requests;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;
using ChatServer.Sessions;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Configuration.Support;
using ChatServer.Tests.Rooms.Access.Support;
using ChatServer.Tests.Sessions.Support;
using ChatServer.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Support;

/// <summary>
/// The service's parts over its in-memory implementations, put together by the service's own registrations, without a socket. What runs in
/// the background runs only if the test starts it.
/// </summary>
internal sealed class ServiceParts : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public ServiceParts(TimeProvider time, params (string Name, string? Value)[] settings)
    {
        var reader = TestSettings.Reader(settings);
        var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(Log).SetMinimumLevel(LogLevel.Debug))
            .AddSingleton(time)
            .AddSingleton(RoomOptions.Log)
            .AddEmbedded()
            .AddFiles(FilesOptions.Read(reader))
            .AddSessions(SessionOptions.Read(reader))
            .AddConnections(ConnectionOptions.Read(reader))
            .AddRoomAccess(RoomAccessOptions.Read(reader))
            .AddRooms(RoomOptions.Read(reader))
            .AddUsers()
            .AddRequests(RequestOptions.Read(reader))
            .AddSingleton<IMemberSource>(Members)
            .AddSingleton<BackplaneOverMemory>()
            .AddSingleton<IBackplane>(provider => provider.GetRequiredService<BackplaneOverMemory>())
            .AddSingleton<SessionStoreOverMemory>()
            .AddSingleton<ISessionStore>(provider => provider.GetRequiredService<SessionStoreOverMemory>());
        reader.Mistakes.Should().BeEmpty();
        _services = services.BuildServiceProvider();
    }

    public ServiceParts(params (string Name, string? Value)[] settings)
        : this(TimeProvider.System, settings)
    {
    }

    public LogLines Log { get; } = new();

    /// <summary>Who is in which room.</summary>
    public MemberSource Members { get; } = new();

    public BackplaneOverMemory Backplane => Get<BackplaneOverMemory>();

    public SessionStoreOverMemory Sessions => Get<SessionStoreOverMemory>();

    public MemoryOutbox Outbox => Get<MemoryOutbox>();

    public ConnectionRegistry Connections => Get<ConnectionRegistry>();

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
