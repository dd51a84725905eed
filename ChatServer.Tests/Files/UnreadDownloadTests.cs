using System.Net;
using ChatServer.Embedded;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Configuration.Support;
using ChatServer.Tests.Operations.Support;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Files;

/// <summary>Somebody opens downloads over HTTP/2, hundreds over a few connections, and takes nothing of them.</summary>
public sealed class UnreadDownloadTests : IAsyncLifetime
{
    private const int Chunks = 16;

    private readonly FakeTimeProvider _time = new();
    private readonly MemoryFileStore _store = new(FilesOptions.Read(TestSettings.Reader()), TimeProvider.System);
    private readonly List<HttpResponseMessage> _unread = [];
    private readonly HttpClient _client = new(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(20),
    };

    private HttpSite? _site;
    private FileId _file;

    public async ValueTask InitializeAsync()
    {
        _file = _store.NewId(Drafts.NewRoom());
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            await _store.WriteAsync(_file, chunk, new byte[IFileStore.ChunkBytes]);
        }

        await _store.CompleteAsync(_file, new("a", "b/c", Chunks * IFileStore.ChunkBytes, "x"));
        var endpoint = new DownloadEndpoint(_store, _time, NullLogger<DownloadEndpoint>.Instance);
        _site = await HttpSite.StartAsync(endpoint.Map, listen: options => options.Protocols = HttpProtocols.Http2);
    }

    public async ValueTask DisposeAsync()
    {
        _unread.ForEach(answer => answer.Dispose());
        _client.Dispose();
        await _site!.DisposeAsync();
    }

    [Fact]
    public async Task Further_ones_are_refused_and_those_that_stand_still_are_cut_off()
    {
        for (var download = 0; download < FilesOptions.MaxDownloads; download++)
        {
            _unread.Add(await OpenAsync());
            _unread[^1].StatusCode.Should().Be(HttpStatusCode.OK);
        }

        using (var refused = await OpenAsync())
        {
            refused.StatusCode.Should().Be(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter!.Delta.Should().Be(FilesOptions.DownloadRetryAfter);
        }

        // The second look finds that nothing has been taken since the first.
        await Task.Delay(500);
        _time.Advance(FilesOptions.DownloadStall);
        _time.Advance(FilesOptions.DownloadStall);

        await _unread[0].Content.Awaiting(content => content.ReadAsByteArrayAsync()).Should().ThrowAsync<HttpRequestException>();
        await using var all = await EventuallyAsync();
        all.Length.Should().Be(Chunks * IFileStore.ChunkBytes);
    }

    [Fact]
    public async Task One_that_is_taken_slowly_goes_on()
    {
        using var answer = await OpenAsync();
        await using var body = await answer.Content.ReadAsStreamAsync();
        var bytes = new byte[IFileStore.ChunkBytes];
        var taken = 0;
        for (int count; (count = await body.ReadAsync(bytes)) > 0; taken += count)
        {
            if (taken % (4 * IFileStore.ChunkBytes) < count)
            {
                _time.Advance(FilesOptions.DownloadStall - TimeSpan.FromSeconds(1));
            }
        }

        taken.Should().Be(Chunks * IFileStore.ChunkBytes);
    }

    private Task<HttpResponseMessage> OpenAsync() => _client.GetAsync(
        new Uri($"http://127.0.0.1:{_site!.Port}{DownloadEndpoint.UrlOf(_file)}"), HttpCompletionOption.ResponseHeadersRead);

    private async Task<MemoryStream> EventuallyAsync()
    {
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50))
        {
            using var answer = await OpenAsync();
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                return new(await answer.Content.ReadAsByteArrayAsync());
            }

            TimeProvider.System.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(10), "places come back");
        }
    }
}
