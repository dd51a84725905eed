namespace ChatServer.Tests.Support;

/// <summary>Two nodes over one Redis and one Quantum, for a class of tests.</summary>
public sealed class TwoNodes : IAsyncLifetime
{
    private readonly ChatFixture _chat = new();
    private TestNode? _second;

    internal ChatFixture Chat => _chat;

    internal TestNode Node => _chat.Node;

    internal TestNode Second => _second!;

    internal QuantumServer Quantum => _chat.Quantum;

    internal TestSessions Sessions => _chat.Sessions;

    public async ValueTask InitializeAsync()
    {
        await _chat.InitializeAsync();
        _second = await _chat.StartNodeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_second is not null)
        {
            await _second.DisposeAsync();
        }

        await _chat.DisposeAsync();
    }
}
