using ChatServer.Settings;

namespace ChatServer.Persist;

/// <summary>How Quantum is called.</summary>
/// <param name="QuantumUrl">The base of its REST API, with a slash at its end; null where none is set.</param>
/// <param name="TryTimeout">How long one try may take.</param>
/// <param name="Attempts">Tries after which a message that keeps failing, while Quantum saves others, becomes a dead letter.</param>
/// <param name="Parallel">How many saves may be under way at once, on this node.</param>
internal sealed record PersistOptions(Uri? QuantumUrl, TimeSpan TryTimeout, int Attempts, int Parallel)
{
    public static PersistOptions Read(SettingReader settings) => new(
        settings.HttpUrl("QUANTUM_SERVER_URL"),
        settings.Seconds("QUANTUM_TIMEOUT", 10, 1, 300),
        settings.Int("SAVE_ATTEMPTS", 20, 1, 1_000_000),
        settings.Int("CHAT_SAVES_IN_PARALLEL", 8, 1, 1024));
}
