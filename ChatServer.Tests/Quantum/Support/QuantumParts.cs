using System.Text;
using System.Text.Json;
using ChatServer.Embedded;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Tests.Configuration.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Quantum.Support;

/// <summary>The client of Quantum's API over real HTTP, set up as the service does it.</summary>
internal sealed class QuantumParts : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    /// <param name="connect">How connections are made; null: as the HTTP client does it.</param>
    public QuantumParts(
        Uri url, TimeSpan tryTimeout, TimeProvider time,
        Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>>? connect = null)
    {
        var services = new ServiceCollection();
        services.AddHttpClient(QuantumClient.ClientName, client => (client.BaseAddress, client.Timeout) = (url, Timeout.InfiniteTimeSpan))
            .ConfigurePrimaryHttpMessageHandler(
                () => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectCallback = connect });
        _services = services.BuildServiceProvider();
        Options = new(url, tryTimeout);
        var reach = new QuantumReach(time, NullLogger<QuantumReach>.Instance);
        Client = new(
            _services.GetRequiredService<IHttpClientFactory>(),
            new QuantumPipelines(Options, time, NullLogger<QuantumPipelines>.Instance), new QuestionSlots(), reach, Files, time);
    }

    public QuantumOptions Options { get; }

    public QuantumClient Client { get; }

    public MemoryFileStore Files { get; } = new(FilesOptions.Read(TestSettings.Reader()), TimeProvider.System);

    public static StoredMessage Message(string identifier = "a1", string body = "hello", long room = 12, long user = 7, long seq = 1) =>
        StoredMessage.Read(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
        {
            type = "chat", room_id = room, seq, identifier, from_user_id = user, company_id = 3, body,
            timestamp = "2026-01-01T10:00:00.000Z",
        })));

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
