namespace ChatServer.Sessions;

/// <summary>Adds the authentication of callers. The store is in Redis, or in memory in the embedded default.</summary>
internal static class SessionsExtensions
{
    public static IServiceCollection AddSessions(this IServiceCollection services, SessionOptions options) =>
        services.AddSingleton(options).AddSingleton<SessionRecordReader>().AddSingleton<Authenticator>()
            .AddSingleton<UserTokens>();

    public static IServiceCollection AddRedisSessions(this IServiceCollection services) =>
        services.AddSingleton<ISessionStore, RedisSessionStore>();
}
