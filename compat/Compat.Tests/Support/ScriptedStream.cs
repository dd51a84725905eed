namespace Compat.Tests.Support;

/// <summary>A stream whose reads and writes the test decides; it notes flushes and its end.</summary>
internal sealed class ScriptedStream : Stream
{
    public Func<Memory<byte>, CancellationToken, ValueTask<int>> OnRead { get; set; } = static async (_, cancelled) =>
    {
        await Task.Delay(Timeout.Infinite, cancelled);
        return 0;
    };

    public Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> OnWrite { get; set; } = static (_, _) => default;

    public int Flushes { get; private set; }

    public bool IsDisposed { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        OnRead(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        OnWrite(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        Flushes++;
        return Task.CompletedTask;
    }

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
