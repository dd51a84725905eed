namespace ChatServer.Rooms.Access;

/// <summary>Adds the decision who may enter a room.</summary>
internal static class RoomAccessExtensions
{
    public static IServiceCollection AddRoomAccess(this IServiceCollection services, RoomAccessOptions options) =>
        services.AddSingleton(options).AddSingleton<MemberLists>().AddSingleton<RoomAccess>();
}
