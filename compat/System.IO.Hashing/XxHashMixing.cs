using System.Buffers.Binary;

namespace System.IO.Hashing;

/// <summary>The primes and mixing steps that the ways of XXH3 share, named as they stand in the specification (1 to 5 as A to E).</summary>
internal static class XxHashMixing
{
    internal const ulong Prime32A = 0x9E3779B1;
    internal const ulong Prime32B = 0x85EBCA77;
    internal const ulong Prime32C = 0xC2B2AE3D;
    internal const ulong Prime64A = 0x9E3779B185EBCA87;
    internal const ulong Prime64B = 0xC2B2AE3D27D4EB4F;
    internal const ulong Prime64C = 0x165667B19E3779F9;
    internal const ulong Prime64D = 0x85EBCA77C2B2AE63;
    internal const ulong Prime64E = 0x27D4EB2F165667C5;

    /// <summary>The closing step of XXH3.</summary>
    internal static ulong Avalanche(ulong hash)
    {
        hash ^= hash >> 37;
        hash *= 0x165667919E3779F9;
        return hash ^ (hash >> 32);
    }

    /// <summary>The closing step of XXH64, which XXH3 uses for up to three bytes.</summary>
    internal static ulong Avalanche64(ulong hash)
    {
        hash ^= hash >> 33;
        hash *= Prime64B;
        hash ^= hash >> 29;
        hash *= Prime64C;
        return hash ^ (hash >> 32);
    }

    /// <summary>Both halves of the 128-bit product, one over the other.</summary>
    internal static ulong MultiplyFold(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return low ^ high;
    }

    internal static ulong Mix16(ReadOnlySpan<byte> source, ReadOnlySpan<byte> secret, ulong seed) => MultiplyFold(
        BinaryPrimitives.ReadUInt64LittleEndian(source) ^ (BinaryPrimitives.ReadUInt64LittleEndian(secret) + seed),
        BinaryPrimitives.ReadUInt64LittleEndian(source[8..]) ^ (BinaryPrimitives.ReadUInt64LittleEndian(secret[8..]) - seed));
}
