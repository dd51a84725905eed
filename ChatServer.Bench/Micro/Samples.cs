using System.Text;

namespace ChatServer.Bench.Micro;

/// <summary>What the benchmarks work on.</summary>
internal static class Samples
{
    public const string Timestamp = "2026-01-01T00:00:00.000Z";

    /// <summary>A client's chat frame with a body of 256 bytes.</summary>
    public static byte[] ChatFrame { get; } = Encoding.UTF8.GetBytes(
        $$"""{"type":"chat","room_id":12,"identifier":"0b9d3c1e-7f63-4f0e-9a0e-2f8f4be0a1c7","body":"{{new string('x', 256)}}"}""");

    /// <summary>The same as it comes over the wire.</summary>
    public static byte[] MaskedFrame()
    {
        ReadOnlySpan<byte> mask = [1, 2, 3, 4];
        byte[] header = [0x81, 0x80 | 126, (byte)(ChatFrame.Length >> 8), (byte)ChatFrame.Length, .. mask];
        var payload = new byte[ChatFrame.Length];
        for (var index = 0; index < payload.Length; index++)
        {
            payload[index] = (byte)(ChatFrame[index] ^ mask[index & 3]);
        }

        return [.. header, .. payload];
    }
}
