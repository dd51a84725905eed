using ChatServer.Quantum;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.FileProviders;

namespace ChatServer.Embedded.Demo;

/// <summary>
/// The development demo: a Quantum in memory and a chat page, on the chat service's own port. It signs anybody in under any name:
/// never map it in Production. Its logins are recorded in the embedded session store.
/// </summary>
internal static class DemoExtensions
{
    /// <summary>
    /// Scripts, styles and connections from this host only: what a message holds can never run. A picture may be one that the page itself
    /// is sending.
    /// </summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    /// <summary>Call it after <see cref="QuantumExtensions.AddQuantum"/>, whose client it points at this process.</summary>
    public static IServiceCollection AddDemo(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IDemoSessions, EmbeddedSessions>();
        services.AddSingleton<DemoQuantum>().AddSingleton<DemoLogins>().AddSingleton<DemoFiles>();
        services.AddHttpClient(QuantumClient.ClientName)
            .ConfigureHttpClient(DemoAddress.Use)
            .ConfigurePrimaryHttpMessageHandler(DemoAddress.TrustItself);
        return services;
    }

    public static WebApplication MapDemo(this WebApplication app)
    {
        app.UseFileServer(new FileServerOptions
        {
            FileProvider = new PhysicalFileProvider(Path.Combine(AppContext.BaseDirectory, "Embedded", "Demo", "wwwroot")),
            StaticFileOptions = { OnPrepareResponse = Guard },
        });
        DemoPageApi.Map(app);
        DemoQuantumApi.Map(app);
        DemoFiles.Map(app);
        return app;
    }

    private static void Guard(StaticFileResponseContext context)
    {
        var headers = context.Context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-cache"; // A changed file shows at the next reload; an unchanged one is answered 304.
    }
}
