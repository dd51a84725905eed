using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ChatServer.WebSockets;

/// <summary>The XOR mask of client frames (RFC 6455, section 5.3), as the four key bytes in memory order.</summary>
internal static class Mask
{
    /// <summary>Masks or unmasks in place.</summary>
    /// <returns>The key as it applies to the byte after <paramref name="data"/>: a payload may be unmasked in pieces of any size.</returns>
    public static uint Apply(Span<byte> data, uint key)
    {
        ref byte bytes = ref MemoryMarshal.GetReference(data);
        nuint length = (uint)data.Length, at = 0;

        if (Vector256.IsHardwareAccelerated)
        {
            var wide = Vector256.Create(key).AsByte();
            for (; length - at >= (uint)Vector256<byte>.Count; at += (uint)Vector256<byte>.Count)
            {
                (Vector256.LoadUnsafe(ref bytes, at) ^ wide).StoreUnsafe(ref bytes, at);
            }
        }

        if (Vector128.IsHardwareAccelerated)
        {
            var wide = Vector128.Create(key).AsByte();
            for (; length - at >= (uint)Vector128<byte>.Count; at += (uint)Vector128<byte>.Count)
            {
                (Vector128.LoadUnsafe(ref bytes, at) ^ wide).StoreUnsafe(ref bytes, at);
            }
        }

        for (; length - at >= sizeof(uint); at += sizeof(uint))
        {
            ref byte four = ref Unsafe.Add(ref bytes, at);
            Unsafe.WriteUnaligned(ref four, Unsafe.ReadUnaligned<uint>(ref four) ^ key);
        }

        // Every step so far was a multiple of four, so the key still stands at its first byte.
        for (; at < length; at++)
        {
            Unsafe.Add(ref bytes, at) ^= FirstByte(key);
            key = Next(key);
        }

        return key;
    }

    private static byte FirstByte(uint key) => (byte)(BitConverter.IsLittleEndian ? key : key >> 24);

    private static uint Next(uint key) =>
        BitConverter.IsLittleEndian ? BitOperations.RotateRight(key, 8) : BitOperations.RotateLeft(key, 8);
}
