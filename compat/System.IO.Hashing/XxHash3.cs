using System.Buffers.Binary;
using System.Numerics;

namespace System.IO.Hashing;

/// <summary>
/// XXH3, 64 bits: the non-cryptographic hash of the xxHash specification (xxhash_spec.md, "XXH3 Algorithm Overview"). An input is
/// hashed by one of five ways, by its length. StackExchange.Redis compares values with it (<c>ValueCondition</c>).
/// </summary>
public static class XxHash3
{
    private const int LongestShort = 16;
    private const int LongestMedium = 128;
    private const int LongestWide = 240;

    /// <summary>Hashes <paramref name="source"/> in one go.</summary>
    /// <param name="source">The bytes to hash; any length.</param>
    /// <param name="seed">Its 64 bits are the seed, taken as unsigned; 0 by default.</param>
    public static ulong HashToUInt64(ReadOnlySpan<byte> source, long seed = 0)
    {
        var unsignedSeed = unchecked((ulong)seed);
        return source.Length switch
        {
            0 => XxHashMixing.Avalanche64(unsignedSeed ^ XxHashSecret.Pair(56)),
            <= 3 => UpTo3(source, unsignedSeed),
            <= 8 => UpTo8(source, unsignedSeed),
            <= LongestShort => UpTo16(source, unsignedSeed),
            <= LongestMedium => UpTo128(source, unsignedSeed),
            <= LongestWide => UpTo240(source, unsignedSeed),
            _ => XxHash3Long.Hash(source, unsignedSeed),
        };
    }

    private static ulong UpTo3(ReadOnlySpan<byte> source, ulong seed)
    {
        var combined = ((uint)source[0] << 16) | ((uint)source[source.Length >> 1] << 24) | source[^1] | ((uint)source.Length << 8);
        var key = BinaryPrimitives.ReadUInt32LittleEndian(XxHashSecret.Default)
            ^ BinaryPrimitives.ReadUInt32LittleEndian(XxHashSecret.Default[4..]);
        return XxHashMixing.Avalanche64(combined ^ (key + seed));
    }

    private static ulong UpTo8(ReadOnlySpan<byte> source, ulong seed)
    {
        const ulong Multiplier = 0x9FB21C651E98DF25;
        seed ^= (ulong)BinaryPrimitives.ReverseEndianness((uint)seed) << 32;
        var first = BinaryPrimitives.ReadUInt32LittleEndian(source);
        var last = BinaryPrimitives.ReadUInt32LittleEndian(source[^4..]);
        var hash = (last + ((ulong)first << 32)) ^ (XxHashSecret.Pair(8) - seed);
        hash ^= BitOperations.RotateLeft(hash, 49) ^ BitOperations.RotateLeft(hash, 24);
        hash *= Multiplier;
        hash ^= (hash >> 35) + (ulong)source.Length;
        hash *= Multiplier;
        return hash ^ (hash >> 28);
    }

    private static ulong UpTo16(ReadOnlySpan<byte> source, ulong seed)
    {
        var low = BinaryPrimitives.ReadUInt64LittleEndian(source) ^ (XxHashSecret.Pair(24) + seed);
        var high = BinaryPrimitives.ReadUInt64LittleEndian(source[^8..]) ^ (XxHashSecret.Pair(40) - seed);
        var sum = (ulong)source.Length + BinaryPrimitives.ReverseEndianness(low) + high + XxHashMixing.MultiplyFold(low, high);
        return XxHashMixing.Avalanche(sum);
    }

    // Sixteen bytes from the front and sixteen from the back for every 32 of length, from the outside in: they overlap in the middle.
    private static ulong UpTo128(ReadOnlySpan<byte> source, ulong seed)
    {
        var sum = (ulong)source.Length * XxHashMixing.Prime64A;
        for (var pair = (source.Length - 1) / 32; pair >= 0; pair--)
        {
            sum += XxHashMixing.Mix16(source[(pair * 16)..], XxHashSecret.Default[(pair * 32)..], seed);
            sum += XxHashMixing.Mix16(source[^((pair + 1) * 16)..], XxHashSecret.Default[((pair * 32) + 16)..], seed);
        }

        return XxHashMixing.Avalanche(sum);
    }

    private static ulong UpTo240(ReadOnlySpan<byte> source, ulong seed)
    {
        const int FirstRounds = 8;
        const int SecondStart = 3;
        const int LastStart = 136 - 17;
        var sum = (ulong)source.Length * XxHashMixing.Prime64A;
        for (var round = 0; round < FirstRounds; round++)
        {
            sum += XxHashMixing.Mix16(source[(round * 16)..], XxHashSecret.Default[(round * 16)..], seed);
        }

        sum = XxHashMixing.Avalanche(sum);
        for (var round = FirstRounds; round < source.Length / 16; round++)
        {
            var key = XxHashSecret.Default[(((round - FirstRounds) * 16) + SecondStart)..];
            sum += XxHashMixing.Mix16(source[(round * 16)..], key, seed);
        }

        sum += XxHashMixing.Mix16(source[^16..], XxHashSecret.Default[LastStart..], seed);
        return XxHashMixing.Avalanche(sum);
    }
}
