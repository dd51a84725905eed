using System.Text.Json.Nodes;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files.Support;

/// <summary>A node, and a file of three chunks that was sent over it.</summary>
public sealed class DownloadFixture : IAsyncLifetime
{
    public const int Size = 300_000;

    private const long Room = 1500;

    private ChatPeer? _sender;
    private ChatPeer? _receiver;

    internal ChatFixture Chat { get; } = new();

    public HttpClient Http { get; } = new() { Timeout = ChatPeer.Patience };

    public byte[] Bytes { get; } = SentFile.Bytes(Size);

    public string Sha256 => SentFile.Sha256(Bytes);

    public Uri Url { get; private set; } = new("http://127.0.0.1");

    public async ValueTask InitializeAsync()
    {
        await Chat.InitializeAsync();
        _sender = await Chat.LoginAsync(1, Room);
        _receiver = await Chat.LoginAsync(2, Room);
        Url = UrlOf(await UploadAsync(Bytes, "page.html", "text/html"));
    }

    public Uri UrlOf(JsonObject file) => Chat.Node.UrlOf(file);

    /// <returns>The file as the room's other members see it.</returns>
    public async Task<JsonObject> UploadAsync(byte[] bytes, string name, string contentType)
    {
        await _sender!.UploadAsync(Room, Guid.NewGuid().ToString(), bytes, name: name, contentType: contentType);
        return await _receiver!.FileAsync();
    }

    public Task<HttpResponseMessage> GetAsync(params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, Url, headers);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri url, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, url);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).Should().BeTrue();
        }

        return await Http.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        await (_sender?.DisposeAsync() ?? default);
        await (_receiver?.DisposeAsync() ?? default);
        Http.Dispose();
        await Chat.DisposeAsync();
    }
}
