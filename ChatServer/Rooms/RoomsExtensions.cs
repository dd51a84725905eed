namespace ChatServer.Rooms;

/// <summary>Adds rooms and what keeps them whole.</summary>
internal static class RoomsExtensions
{
    public static IServiceCollection AddRooms(this IServiceCollection services, RoomOptions options) =>
        services.AddSingleton(options).AddSingleton<RoomDirectory>().AddSingleton<Replay>().AddSingleton<RoomTracker>();
}
