using ChatServer.Embedded;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Tests.Configuration.Support;
using ChatServer.Tests.Files.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Files;

/// <summary>One upload, step by step, on a clock that the test turns.</summary>
public sealed class UploadStepTests : IDisposable
{
    private static readonly FilesOptions Options =
        FilesOptions.Read(TestSettings.Reader(("CHAT_UPLOAD_BUFFER_BYTES", $"{IFileStore.ChunkBytes}")));

    private readonly FakeTimeProvider _time = new();
    private readonly MemoryFileStore _store;
    private readonly UploadBuffers _buffers = new(Options);
    private readonly List<UploadFailure> _failures = [];

    public UploadStepTests() => _store = new(Options, _time);

    public void Dispose() => _buffers.Dispose();

    [Fact]
    public async Task Receive_BufferHeldTooLong_IsParkedAndReadBack()
    {
        var bytes = SentFile.Bytes(IFileStore.ChunkBytes + 10);
        var slow = Begin(bytes.Length);
        await slow.ReceiveAsync(bytes.AsSpan(0, 100));
        await LookAsync(slow, seconds: 4);
        _buffers.Free.Should().Be(0);
        await LookAsync(slow, seconds: 2);
        _buffers.Free.Should().Be(1, "somebody else may need it");

        await slow.ReceiveAsync(bytes.AsSpan(100, 200));
        await LookAsync(slow, seconds: 6);
        await slow.ReceiveAsync(bytes.AsSpan(300));
        await LookAsync(slow, seconds: 6);

        (await slow.CompleteAsync())!.Sha256.Should().Be(SentFile.Sha256(bytes), "what was parked counts once");
        await using var stream = new StoredFileStream(_store, slow.Id, bytes.Length);
        var all = new byte[bytes.Length];
        await stream.ReadExactlyAsync(all);
        all.Should().Equal(bytes);
        _buffers.Free.Should().Be(1);
    }

    [Fact]
    public async Task LookAfter_ThirtySecondsWithoutAByte_EndsIt()
    {
        var upload = Begin(1000);
        await LookAsync(upload, seconds: 29);
        await upload.ReceiveAsync(new byte[10]);
        await LookAsync(upload, seconds: 29);
        upload.IsOver.Should().BeFalse();

        await LookAsync(upload, seconds: 1);

        upload.IsOver.Should().BeTrue();
        _failures.Should().Equal(UploadFailure.Silent);
        (await _store.ReadAsync(upload.Id, 0)).Should().BeNull();
        _buffers.Free.Should().Be(1);
        await upload.ReceiveAsync(new byte[10]);
        await upload.EndAsync(UploadFailure.Cut);
        (await upload.CompleteAsync()).Should().BeNull();
        _failures.Should().ContainSingle("it ends once");
    }

    [Fact]
    public async Task Receive_OneByteTooMany_EndsItAndKeepsNothing()
    {
        var upload = Begin(IFileStore.ChunkBytes + 1);

        await upload.ReceiveAsync(new byte[IFileStore.ChunkBytes + 1]);
        upload.HasAll.Should().BeTrue();
        await upload.ReceiveAsync(new byte[1]);

        _failures.Should().Equal(UploadFailure.TooMuch);
        (await _store.ReadAsync(upload.Id, 0)).Should().BeNull();
    }

    [Fact]
    public async Task Receive_NoBufferInTime_IsBusy()
    {
        var holder = Begin(1000);
        await holder.ReceiveAsync(new byte[10]);
        var waiting = Begin(1000);

        await waiting.ReceiveAsync(new byte[10]).AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        _failures.Should().Equal(UploadFailure.Busy);
        holder.IsOver.Should().BeFalse();
    }

    [Fact]
    public async Task Receive_StoreIsFull_IsToldAndNothingIsKept()
    {
        var filler = _store.NewId(new(3, 1));
        await _store.WriteAsync(filler, 0, new byte[MemoryFileStore.MaxBytes - IFileStore.ChunkBytes]);
        var upload = Begin(3 * IFileStore.ChunkBytes);

        await upload.ReceiveAsync(new byte[2 * IFileStore.ChunkBytes]);

        _failures.Should().Equal(UploadFailure.NoSpace);
        (await _store.ReadAsync(upload.Id, 0)).Should().BeNull();
    }

    private Upload Begin(long size) =>
        new(_store.NewId(new RoomKey(3, 1)), new("a.txt", "text/plain", size), _store, _buffers, Options, _time, _failures.Add);

    private async Task LookAsync(Upload upload, int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        await upload.LookAfterAsync();
    }
}
