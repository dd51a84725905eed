using ChatServer.Connections;
using ChatServer.Protocol;

namespace ChatServer.Operations;

/// <summary>When the service stops, tells every connection to come back to another node (1012).</summary>
internal sealed class ShutdownNotifier(ConnectionRegistry connections, IHostApplicationLifetime lifetime) : IHostedService
{
    private CancellationTokenRegistration _registration;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _registration = lifetime.ApplicationStopping.Register(() => connections.CloseAll(CloseReason.Restart));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await _registration.DisposeAsync();
}
