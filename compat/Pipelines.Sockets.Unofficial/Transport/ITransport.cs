using System.Buffers;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>Where a <see cref="DuplexPump"/> gets its bytes from and brings them to. One receive and one send at a time.</summary>
internal interface ITransport : IDisposable
{
    /// <summary>Waits, without a buffer, until there may be something to receive; at once where that was not asked for.</summary>
    ValueTask WaitAsync();

    /// <summary>Waits for bytes; 0 at the end of the stream.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> buffer);

    /// <summary>Sends from the start of <paramref name="buffer"/>, which is not empty; answers how many bytes were taken.</summary>
    ValueTask<int> SendAsync(ReadOnlySequence<byte> buffer);

    /// <summary>Nobody will read any more; ends a receive that waits, where the transport can do that.</summary>
    void EndReceiving();

    /// <summary>Everything is sent; tells the peer, where the transport can do that. May throw what sending throws.</summary>
    void EndSending();
}
