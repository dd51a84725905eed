namespace ChatServer.Users;

/// <summary>Adds what concerns a user on all nodes.</summary>
internal static class UsersExtensions
{
    public static IServiceCollection AddUsers(this IServiceCollection services) =>
        services.AddSingleton<UserChannels>().AddSingleton<MemberRechecks>()
            .AddHostedService<ControlChannel>().AddHostedService<TokenRequests>()
            .AddSingleton<SessionWatch>().AddHostedService(provider => provider.GetRequiredService<SessionWatch>());
}
