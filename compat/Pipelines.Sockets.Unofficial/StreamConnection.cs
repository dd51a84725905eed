using System.IO.Pipelines;
using Pipelines.Sockets.Unofficial.Transport;

namespace Pipelines.Sockets.Unofficial;

/// <summary>Streams as pipes: what TLS connections are made of.</summary>
public static class StreamConnection
{
    /// <summary>
    /// Starts to read from and write to a stream that can do both at the same time. The result is an
    /// <see cref="IMeasuredDuplexPipe"/>, and disposable: that ends both directions at once and disposes the stream.
    /// </summary>
    /// <param name="stream">The stream; each batch that is written is flushed.</param>
    /// <param name="sendPipeOptions">Of the output; null for the default ones.</param>
    /// <param name="receivePipeOptions">Of the input; null for the default ones.</param>
    /// <param name="name">What its <see cref="object.ToString"/> gives.</param>
    public static IDuplexPipe GetDuplex(
        Stream stream, PipeOptions? sendPipeOptions = null, PipeOptions? receivePipeOptions = null, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanRead || !stream.CanWrite)
        {
            throw new ArgumentException("The stream must read and write.", nameof(stream));
        }

        return new StreamDuplexPipe(stream, sendPipeOptions ?? PipeOptions.Default, receivePipeOptions ?? PipeOptions.Default, name);
    }

    /// <summary>Reads a stream as a pipe, no further ahead than asked; the stream stays the caller's.</summary>
    /// <param name="stream">The stream to read.</param>
    /// <param name="pipeOptions">Pool and size of its buffers; null for the default ones.</param>
    /// <param name="name">Not used; the official package names its pipes.</param>
    public static PipeReader GetReader(Stream stream, PipeOptions? pipeOptions = null, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _ = name;
        var options = pipeOptions ?? PipeOptions.Default;
        return PipeReader.Create(stream, new StreamPipeReaderOptions(options.Pool, options.MinimumSegmentSize, leaveOpen: true));
    }
}
