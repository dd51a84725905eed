using System.Buffers.Binary;

namespace System.IO.Hashing;

/// <summary>
/// XXH3 for more than 240 bytes: eight lanes take up stripes of 64 bytes; after each block of sixteen stripes they are scrambled.
/// </summary>
internal static class XxHash3Long
{
    private const int Lanes = 8;
    private const int StripeBytes = 64;
    private const int SecretStep = 8;
    private const int StripesPerBlock = (XxHashSecret.Length - StripeBytes) / SecretStep;
    private const int BlockBytes = StripesPerBlock * StripeBytes;
    private const int LastStripeSecret = XxHashSecret.Length - StripeBytes - 7;
    private const int MergeSecret = 11;

    internal static ulong Hash(ReadOnlySpan<byte> source, ulong seed)
    {
        Span<byte> secret = stackalloc byte[XxHashSecret.Length];
        XxHashSecret.Derive(seed, secret);
        Span<ulong> lanes =
        [
            XxHashMixing.Prime32C, XxHashMixing.Prime64A, XxHashMixing.Prime64B, XxHashMixing.Prime64C,
            XxHashMixing.Prime64D, XxHashMixing.Prime32B, XxHashMixing.Prime64E, XxHashMixing.Prime32A,
        ];

        // The last block is never a whole one, and its last stripe is the last 64 bytes, whatever they overlap.
        var rest = source;
        while (rest.Length > BlockBytes)
        {
            Accumulate(lanes, rest, secret, StripesPerBlock);
            Scramble(lanes, secret[^StripeBytes..]);
            rest = rest[BlockBytes..];
        }

        Accumulate(lanes, rest, secret, (rest.Length - 1) / StripeBytes);
        Accumulate(lanes, source[^StripeBytes..], secret[LastStripeSecret..], 1);
        return Merge(lanes, secret[MergeSecret..], (ulong)source.Length * XxHashMixing.Prime64A);
    }

    private static void Accumulate(Span<ulong> lanes, ReadOnlySpan<byte> source, ReadOnlySpan<byte> secret, int stripes)
    {
        for (var stripe = 0; stripe < stripes; stripe++)
        {
            var data = source.Slice(stripe * StripeBytes, StripeBytes);
            var keys = secret.Slice(stripe * SecretStep, StripeBytes);
            for (var lane = 0; lane < Lanes; lane++)
            {
                var value = BinaryPrimitives.ReadUInt64LittleEndian(data[(lane * 8)..]);
                var keyed = value ^ BinaryPrimitives.ReadUInt64LittleEndian(keys[(lane * 8)..]);
                lanes[lane ^ 1] += value;
                lanes[lane] += (uint)keyed * (keyed >> 32);
            }
        }
    }

    private static void Scramble(Span<ulong> lanes, ReadOnlySpan<byte> secret)
    {
        for (var lane = 0; lane < Lanes; lane++)
        {
            var value = lanes[lane];
            value ^= value >> 47;
            value ^= BinaryPrimitives.ReadUInt64LittleEndian(secret[(lane * 8)..]);
            lanes[lane] = value * XxHashMixing.Prime32A;
        }
    }

    private static ulong Merge(ReadOnlySpan<ulong> lanes, ReadOnlySpan<byte> secret, ulong start)
    {
        var sum = start;
        for (var lane = 0; lane < Lanes; lane += 2)
        {
            sum += XxHashMixing.MultiplyFold(
                lanes[lane] ^ BinaryPrimitives.ReadUInt64LittleEndian(secret[(lane * 8)..]),
                lanes[lane + 1] ^ BinaryPrimitives.ReadUInt64LittleEndian(secret[((lane + 1) * 8)..]));
        }

        return XxHashMixing.Avalanche(sum);
    }
}
