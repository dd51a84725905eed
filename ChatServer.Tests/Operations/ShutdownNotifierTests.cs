using ChatServer.Operations;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Operations;

public sealed class ShutdownNotifierTests : IAsyncDisposable
{
    private readonly ServiceParts _parts = new();
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact]
    public async Task Stopping_ClosesEveryConnectionWith1012()
    {
        var notifier = new ShutdownNotifier(_parts.Connections, _lifetime);
        await notifier.StartAsync(CancellationToken.None);
        var (known, unknown) = (await RequestPeer.LoginAsync(_parts, 7), new RequestPeer(_parts));
        known.Connection.IsClosing.Should().BeFalse();

        _lifetime.StopApplication();

        (await known.ClosedAsync()).Should().Be(1012);
        (await unknown.ClosedAsync()).Should().Be(1012);
        await notifier.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Stop_BeforeTheServiceSaysSo_ClosesNobody()
    {
        var notifier = new ShutdownNotifier(_parts.Connections, _lifetime);
        await notifier.StartAsync(CancellationToken.None);
        var peer = await RequestPeer.LoginAsync(_parts, 7);

        await notifier.StopAsync(CancellationToken.None);
        _lifetime.StopApplication();

        peer.Connection.IsClosing.Should().BeFalse();
    }
}
