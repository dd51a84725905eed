namespace Compat.Tests.Support;

/// <summary>Bytes that show when some are lost, doubled or out of order.</summary>
internal static class Pattern
{
    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
