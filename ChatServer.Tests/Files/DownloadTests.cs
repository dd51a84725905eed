using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Files.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files;

/// <summary>Loading a file that was sent: RFC 9110 for ranges and conditions, RFC 6266 for its name.</summary>
public sealed class DownloadTests(DownloadFixture held) : IClassFixture<DownloadFixture>
{
    private const int Size = DownloadFixture.Size;

    [Fact]
    public async Task A_file_comes_with_headers_that_keep_it_from_running()
    {
        using var answer = await held.GetAsync();

        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        answer.Content.Headers.ContentLength.Should().Be(Size);
        answer.Content.Headers.ContentType!.ToString().Should().Be("text/html");
        answer.Headers.ETag!.ToString().Should().Be($"\"{held.Sha256}\"");
        answer.Headers.AcceptRanges.Should().Equal("bytes");
        Header(answer, "X-Content-Type-Options").Should().Be("nosniff");
        Header(answer, "Content-Security-Policy").Should().StartWith("sandbox;");
        Header(answer, "Cache-Control").Should().Be("private");
        answer.Content.Headers.ContentDisposition!.DispositionType.Should().Be("attachment");
        (await answer.Content.ReadAsByteArrayAsync()).Should().Equal(held.Bytes);
    }

    [Theory]
    [InlineData("bytes=0-0", 0, 1)]
    [InlineData("bytes=0-99", 0, 100)]
    [InlineData("bytes=131071-131072", 131_071, 2)]
    [InlineData("bytes=131072-262143", 131_072, 131_072)]
    [InlineData("bytes=200000-", 200_000, Size - 200_000)]
    [InlineData("bytes=-1", Size - 1, 1)]
    [InlineData("bytes=-150000", Size - 150_000, 150_000)]
    [InlineData("bytes=0-999999999", 0, Size)]
    [InlineData("bytes=-999999999", 0, Size)]
    public async Task A_range_is_answered_with_that_part(string range, int from, int count)
    {
        using var answer = await held.GetAsync(("Range", range));

        answer.StatusCode.Should().Be(HttpStatusCode.PartialContent);
        answer.Content.Headers.ContentRange!.ToString().Should().Be($"bytes {from}-{from + count - 1}/{Size}");
        answer.Content.Headers.ContentLength.Should().Be(count);
        (await answer.Content.ReadAsByteArrayAsync()).Should().Equal(held.Bytes[from..(from + count)]);
    }

    [Theory]
    [InlineData("bytes=300000-")]
    [InlineData("bytes=300000-300001")]
    [InlineData("bytes=-0")]
    public async Task A_range_beyond_the_end_is_416_with_the_size(string range)
    {
        using var answer = await held.GetAsync(("Range", range));

        answer.StatusCode.Should().Be(HttpStatusCode.RequestedRangeNotSatisfiable);
        answer.Content.Headers.ContentRange!.ToString().Should().Be($"bytes */{Size}");
        (await answer.Content.ReadAsByteArrayAsync()).Should().BeEmpty();
    }

    [Theory]
    [InlineData("bytes=0-0,2-3")]
    [InlineData("lines=0-1")]
    [InlineData("bytes=5-2")]
    [InlineData("nonsense")]
    public async Task A_range_that_is_not_understood_is_answered_with_all(string range)
    {
        using var answer = await held.GetAsync(("Range", range));

        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        (await answer.Content.ReadAsByteArrayAsync()).Should().HaveCount(Size);
    }

    [Theory]
    [InlineData("ETAG", HttpStatusCode.PartialContent)]
    [InlineData("\"another\"", HttpStatusCode.OK)]
    [InlineData("W/ETAG", HttpStatusCode.OK)]
    public async Task If_range_counts_if_the_file_is_the_same(string tag, HttpStatusCode status)
    {
        using var answer = await held.GetAsync(
            ("Range", "bytes=10-19"), ("If-Range", tag.Replace("ETAG", $"\"{held.Sha256}\"", StringComparison.Ordinal)));

        answer.StatusCode.Should().Be(status);
        (await answer.Content.ReadAsByteArrayAsync()).Should().Equal(status == HttpStatusCode.OK ? held.Bytes : held.Bytes[10..20]);
    }

    [Theory]
    [InlineData("If-None-Match", "ETAG", HttpStatusCode.NotModified)]
    [InlineData("If-None-Match", "*", HttpStatusCode.NotModified)]
    [InlineData("If-None-Match", "\"another\"", HttpStatusCode.OK)]
    [InlineData("If-Match", "\"another\"", HttpStatusCode.PreconditionFailed)]
    [InlineData("If-Match", "ETAG", HttpStatusCode.OK)]
    public async Task Conditions_are_kept(string header, string tag, HttpStatusCode status)
    {
        using var answer = await held.GetAsync((header, tag.Replace("ETAG", $"\"{held.Sha256}\"", StringComparison.Ordinal)));

        answer.StatusCode.Should().Be(status);
        (await answer.Content.ReadAsByteArrayAsync()).Should().HaveCount(status == HttpStatusCode.OK ? Size : 0);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.OK, Size)]
    [InlineData("bytes=10-19", HttpStatusCode.PartialContent, 10)]
    public async Task Head_tells_the_same_without_the_bytes(string? range, HttpStatusCode status, int length)
    {
        using var answer = await held.SendAsync(HttpMethod.Head, held.Url, range is null ? [] : [("Range", range)]);

        answer.StatusCode.Should().Be(status);
        answer.Content.Headers.ContentLength.Should().Be(length);
        answer.Headers.ETag!.ToString().Should().Be($"\"{held.Sha256}\"");
        (await answer.Content.ReadAsByteArrayAsync()).Should().BeEmpty();
    }

    [Theory]
    [InlineData("plain.txt", "plain.txt")]
    [InlineData("Überblick für 100 €.pdf", "Überblick für 100 €.pdf")]
    [InlineData("日本語のファイル.txt", "日本語のファイル.txt")]
    [InlineData("قائمة.docx", "قائمة.docx")]
    [InlineData("👩‍👩‍👧.png", "👩‍👩‍👧.png")]
    [InlineData("a \"quoted\" ; name=x.txt", "a \"quoted\" ; name=x.txt")]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("C:\\Users\\ada\\plan.pdf", "plan.pdf")]
    [InlineData("invoice\u202Efdp.exe", "invoicefdp.exe")]
    [InlineData("a\r\nSet-Cookie: x\u0000.txt", "aSet-Cookie: x.txt")]
    [InlineData("..", "file")]
    public async Task A_name_comes_out_right_in_all_languages_and_harmless(string sent, string expected)
    {
        var file = await held.UploadAsync(SentFile.Bytes(3), sent, "text/plain");
        file.Text("name").Should().Be(expected);

        using var answer = await held.SendAsync(HttpMethod.Get, held.UrlOf(file));

        var disposition = answer.Content.Headers.GetValues("Content-Disposition").Single();
        disposition.Should().StartWith("attachment; filename=");
        disposition.Split("filename*=UTF-8''").Should().HaveCount(2).And.Subject.Last().Should().Be(Uri.EscapeDataString(expected));
        Ascii(disposition).Should().BeTrue("headers are ASCII");
        ContentDispositionHeaderValue.Parse(disposition).FileNameStar.Should().Be(expected);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("17-AAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("017-AAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("..%2F..%2Fetc%2Fpasswd")]
    [InlineData("17-AAAAAAAAAAAAAAAAAAAAAAA%7D")]
    public async Task What_is_no_file_is_404(string id)
    {
        using var answer = await held.SendAsync(HttpMethod.Get, new Uri(held.Url, "/files/" + id));

        answer.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Nothing_can_be_written_there()
    {
        using var answer = await held.SendAsync(HttpMethod.Put, held.Url);

        answer.StatusCode.Should().Be(HttpStatusCode.MethodNotAllowed);
    }

    [Fact]
    public async Task A_file_that_has_expired_is_404_and_one_that_does_so_while_it_is_loaded_is_cut_off()
    {
        var file = await held.UploadAsync(SentFile.Bytes(8_000_000), "a.bin", "application/octet-stream");
        FileId.TryParse(file.Text("id")!, out var id).Should().BeTrue();
        var database = held.Chat.Connection.GetDatabase();
        using var loading = await held.Http.GetAsync(held.UrlOf(file), HttpCompletionOption.ResponseHeadersRead);
        await using var body = await loading.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1000]);

        await database.KeyDeleteAsync(RedisKeys.File(id));

        var toTheEnd = async () => await body.CopyToAsync(Stream.Null).WaitAsync(ChatPeer.Patience);
        await toTheEnd.Should().ThrowAsync<IOException>("part of a file must not pass for all of it");
        using var again = await held.SendAsync(HttpMethod.Get, held.UrlOf(file));
        again.StatusCode.Should().Be(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Downloads_that_are_cut_do_not_hurt_the_node()
    {
        var file = await held.UploadAsync(SentFile.Bytes(8_000_000), "a.bin", "application/octet-stream");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async number =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new(true, 0) };
            await socket.ConnectAsync(IPAddress.Loopback, held.Url.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {held.UrlOf(file).AbsolutePath} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            (await socket.ReceiveAsync(new byte[1 + (number * 10_000)])).Should().BePositive();
        }));

        (await held.Http.GetByteArrayAsync(held.UrlOf(file))).Should().HaveCount(8_000_000);
        held.Chat.Node.Log.All.Should().NotContain(line => line.Contains("Unhandled", StringComparison.OrdinalIgnoreCase));
    }

    private static string Header(HttpResponseMessage answer, string name) => string.Join(", ", answer.Headers.GetValues(name));

    private static bool Ascii(string text) => text.All(char.IsAscii);
}
