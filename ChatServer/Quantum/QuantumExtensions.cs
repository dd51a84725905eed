namespace ChatServer.Quantum;

/// <summary>Adds Quantum's REST API.</summary>
internal static class QuantumExtensions
{
    public static IServiceCollection AddQuantum(this IServiceCollection services, QuantumOptions options)
    {
        services.AddSingleton(options).AddSingleton<QuantumPipelines>().AddSingleton<QuestionSlots>().AddSingleton<QuantumReach>()
            .AddSingleton<QuantumClient>()
            .AddSingleton<IMemberSource>(provider => provider.GetRequiredService<QuantumClient>());
        services.AddHttpClient(QuantumClient.ClientName, client =>
            {
                client.BaseAddress = options.Url;

                // The Polly pipelines around each call measure the time.
                client.Timeout = Timeout.InfiniteTimeSpan;
            })
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                // Following would turn a POST into a GET; a redirect means a wrong QUANTUM_SERVER_URL.
                AllowAutoRedirect = false,
                PooledConnectionLifetime = QuantumOptions.ConnectionLifetime,
                UseCookies = false,
            })
            .RemoveAllLoggers();
        return services;
    }
}
