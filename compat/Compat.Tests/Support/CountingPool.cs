using System.Buffers;

namespace Compat.Tests.Support;

/// <summary>A memory pool that knows how many of its buffers are out.</summary>
internal sealed class CountingPool : MemoryPool<byte>
{
    private int _rented;
    private int _out;

    public int Rented => Volatile.Read(ref _rented);

    public int Out => Volatile.Read(ref _out);

    public override int MaxBufferSize => 1 << 20;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        Interlocked.Increment(ref _rented);
        Interlocked.Increment(ref _out);
        return new Owner(this, Math.Max(minBufferSize, 4096));
    }

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Owner(CountingPool pool, int size) : IMemoryOwner<byte>
    {
        private int _returned;

        public Memory<byte> Memory { get; } = new byte[size];

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
            {
                Interlocked.Decrement(ref pool._out);
            }
        }
    }
}
