using System.Runtime.CompilerServices;

namespace Pipelines.Sockets.Unofficial.Arenas;

/// <summary>
/// Hands out runs of elements that all live until the next <see cref="Reset"/>. StackExchange.Redis parses each reply into one: a run
/// for each array of the reply. Used by one thread at a time, but for <see cref="Dispose"/>, which may come at any moment.
/// </summary>
/// <typeparam name="T">The type of the elements.</typeparam>
public sealed class Arena<T> : IDisposable
{
    private const int DefaultBlockBytes = 64 * 1024;
    private readonly int _blockLength;
    private Block? _first;
    private Block? _current;

    /// <summary>Creates an arena; it holds nothing until the first run.</summary>
    /// <param name="options">Settings; null for the default ones.</param>
    /// <param name="allocator">Null: see <see cref="Allocator{T}"/>.</param>
    public Arena(ArenaOptions? options = null, Allocator<T>? allocator = null)
    {
        _ = allocator;
        var blockBytes = options is { BlockSizeBytes: > 0 } ? options.BlockSizeBytes : DefaultBlockBytes;
        _blockLength = Math.Max(1, blockBytes / Unsafe.SizeOf<T>());
    }

    /// <summary>Hands out a run. Its elements hold anything; who asked writes them before reading.</summary>
    /// <param name="length">How many elements; at least 0.</param>
    public Sequence<T> Allocate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length == 0)
        {
            return default;
        }

        var block = _current;
        if (block is null || block.Free < length)
        {
            block = Advance(block, length);
        }

        var run = new Sequence<T>(block.Items, block.Used, length);
        block.Used += length;
        return run;
    }

    /// <summary>
    /// Takes all runs back. The blocks that this round has used stay for the next one, because a long reply that arrives in pieces is
    /// parsed from its start at each piece; those that it had no use for are dropped, but for the first. So a giant reply costs its
    /// memory until the reply after it. Used elements are cleared, so that they keep nothing alive, except in blocks of more than the
    /// usual length: clearing these at each piece would take longer than parsing.
    /// </summary>
    public void Reset()
    {
        var first = _first;
        if (_current is { } last)
        {
            last.Next = null;
        }

        for (var block = first; block is not null; block = block.Next)
        {
            if (block.Items.Length <= _blockLength)
            {
                Array.Clear(block.Items, 0, block.Used);
            }

            block.Used = 0;
        }

        _current = first;
    }

    /// <summary>
    /// Drops all blocks. A connection may be disposed while its reader is still at a reply: that thread's runs stay good, and it may
    /// go on to ask for runs; what it holds then goes when the connection goes.
    /// </summary>
    public void Dispose()
    {
        _first = null;
        _current = null;
    }

    private Block Advance(Block? block, int length)
    {
        // The first block stays for good, so it is never a giant one.
        block ??= _first = new Block(new T[_blockLength]);
        if (block.Free < length)
        {
            if (block.Next is null || block.Next.Items.Length < length)
            {
                block.Next = new Block(new T[Math.Max(length, _blockLength)]);
            }

            block = block.Next;
        }

        _current = block;
        return block;
    }

    private sealed class Block(T[] items)
    {
        internal T[] Items { get; } = items;

        internal int Used { get; set; }

        internal int Free => Items.Length - Used;

        internal Block? Next { get; set; }
    }
}
