using System.Buffers;
using System.IO.Pipelines;

namespace Compat.Tests.Support;

/// <summary>Reads and writes pipes as a plain user of them does.</summary>
internal static class PipeReading
{
    /// <summary>Reads exactly <paramref name="count"/> bytes and consumes them.</summary>
    public static async Task<byte[]> ReadExactlyAsync(this PipeReader reader, int count)
    {
        var read = await reader.ReadAtLeastAsync(count).AsTask().WaitAsync(Limits.Short);
        var bytes = read.Buffer.Slice(0, count).ToArray();
        reader.AdvanceTo(read.Buffer.GetPosition(count));
        return bytes;
    }

    /// <summary>Reads to the end of the stream, which must be one in good order.</summary>
    public static async Task<byte[]> ReadToEndAsync(this PipeReader reader)
    {
        using var bytes = new MemoryStream();
        await reader.CopyToAsync(bytes).WaitAsync(Limits.Long);
        return bytes.ToArray();
    }

    /// <summary>Writes and flushes; the flush must not have to wait.</summary>
    public static async Task SendAsync(this PipeWriter writer, byte[] bytes) =>
        await writer.WriteAsync(bytes).AsTask().WaitAsync(Limits.Short);
}
