using System.Buffers;

namespace ChatServer.Connections;

/// <summary>
/// Lends the buffers in which frames wait to be sent. The shared pool keeps 32 of a size for each core: too few if hundreds of rooms, or
/// of sockets that can't send at once, fill theirs at the same time. This one keeps 8 MiB of small ones at most, and leaves the large ones
/// to the shared pool.
/// </summary>
internal static class SendBuffers
{
    private const int MostSmall = 8 * 1024;
    private const int MostOfASize = 512;

    private static readonly ArrayPool<byte> Small = ArrayPool<byte>.Create(MostSmall, MostOfASize);

    /// <returns>At least that many bytes, with anything in them.</returns>
    public static byte[] Rent(int least) => PoolFor(least).Rent(least);

    public static void Return(byte[] buffer) => PoolFor(buffer.Length).Return(buffer);

    private static ArrayPool<byte> PoolFor(int length) => length <= MostSmall ? Small : ArrayPool<byte>.Shared;
}
