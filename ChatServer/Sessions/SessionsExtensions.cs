namespace ChatServer.Sessions;

/// <summary>Adds the way from a token to a caller. The store is Redis's, or that of the embedded default.</summary>
internal static class SessionsExtensions
{
    public static IServiceCollection AddSessions(this IServiceCollection services, SessionOptions options) =>
        services.AddSingleton(options).AddSingleton<SessionRecordReader>().AddSingleton<Authenticator>()
            .AddSingleton<UserTokens>();

    public static IServiceCollection AddRedisSessions(this IServiceCollection services) =>
        services.AddSingleton<ISessionStore, RedisSessionStore>();
}
