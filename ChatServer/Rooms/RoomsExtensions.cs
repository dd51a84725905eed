namespace ChatServer.Rooms;

/// <summary>Adds rooms, their replay and the tracking of gaps.</summary>
internal static class RoomsExtensions
{
    public static IServiceCollection AddRooms(this IServiceCollection services, RoomOptions options) =>
        services.AddSingleton(options).AddSingleton<RoomDirectory>().AddSingleton<Replay>().AddSingleton<RoomTracker>();
}
