using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Files;

/// <summary>
/// One file on its way from a socket into the store. The connection's loop fills it while a timer of <see cref="UploadWatch"/> checks
/// it, so the steps are serialized. It ends once: complete, or failed, and then nothing of it stays in the store.
/// </summary>
/// <param name="ended">Called once if it fails, after its bytes have been deleted.</param>
[SuppressMessage("Design", "CA1001",
    Justification = "What it holds it gives back when it ends, and every upload ends; the semaphore has no handle to close.")]
internal sealed class Upload(
    FileId id, FileAnnouncement file, IFileStore store, UploadBuffers buffers, FilesOptions options, TimeProvider time,
    Action<UploadFailure> ended)
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    // The chunk at hand: in the buffer, or parked in the store if there is no buffer and it has bytes.
    private byte[]? _buffer;
    private int _filled;
    private long _bufferSince;

    private long _stored;
    private long _told;
    private long _heardAt = time.GetTimestamp();

    public FileId Id => id;

    public FileAnnouncement File => file;

    /// <summary>Bytes that have come.</summary>
    public long Received => _stored + _filled;

    /// <summary>Whether all bytes have come. Their frame may have more, which would be too many.</summary>
    public bool HasAll => Received == file.Size;

    /// <summary>Whether it has ended, either way.</summary>
    public bool IsOver { get; private set; }

    /// <summary>
    /// Takes the next bytes of the file, which the caller may reuse at once. Await it before the next ones: that is the back pressure on
    /// the socket.
    /// </summary>
    public ValueTask ReceiveAsync(ReadOnlySpan<byte> bytes)
    {
        var hasTurn = _turn.Wait(0);
        if (hasTurn && _buffer is not null && bytes.Length < IFileStore.ChunkBytes - _filled && Received + bytes.Length <= file.Size)
        {
            Fill(bytes);
            EndTurn();
            return ValueTask.CompletedTask;
        }

        var copy = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(copy);
        return ReceiveAsync(copy, bytes.Length, hasTurn);
    }

    /// <summary>The number of bytes stored, if the sender is to be told of it now.</summary>
    public long? TakeProgress()
    {
        if (_stored - _told < FilesOptions.ProgressEvery)
        {
            return null;
        }

        _told = _stored;
        return _stored;
    }

    /// <summary>All bytes have come: the file is what it was said to be.</summary>
    /// <returns>Null if it failed.</returns>
    public async ValueTask<StoredFile?> CompleteAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (IsOver || (_filled > 0 && !await StoreChunkAsync()))
            {
                return null;
            }

            var complete = new StoredFile(file.Name, file.ContentType, file.Size, Convert.ToHexStringLower(_hash.GetHashAndReset()));
            if (!await store.CompleteAsync(id, complete))
            {
                await EndInTurnAsync(UploadFailure.Unavailable);
                return null;
            }

            IsOver = true;
            _hash.Dispose();
            return complete;
        }
        catch (Exception exception) when (FailureOf(exception) is { } failure)
        {
            await EndInTurnAsync(failure);
            return null;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends it, unless it has ended: what is stored of it is deleted.</summary>
    public async ValueTask EndAsync(UploadFailure failure)
    {
        await _turn.WaitAsync();
        try
        {
            await EndInTurnAsync(failure);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Checks whether the sender has gone silent, or holds a buffer for too long. An upload whose step is under way is fine.
    /// </summary>
    public async Task LookAfterAsync()
    {
        if (!_turn.Wait(0))
        {
            return;
        }

        try
        {
            if (IsOver)
            {
                return;
            }

            if (time.GetElapsedTime(_heardAt) >= options.UploadTimeout)
            {
                await EndInTurnAsync(UploadFailure.Silent);
            }
            else if (_buffer is { } buffer && time.GetElapsedTime(_bufferSince) >= FilesOptions.MaxBufferTime)
            {
                await store.WriteAsync(id, Chunk, buffer.AsMemory(0, _filled));
                ReleaseBuffer();
            }
        }
        catch (Exception exception) when (FailureOf(exception) is { } failure)
        {
            await EndInTurnAsync(failure);
        }
        finally
        {
            _turn.Release();
        }
    }

    private int Chunk => (int)(_stored / IFileStore.ChunkBytes);

    private async ValueTask ReceiveAsync(byte[] bytes, int count, bool hasTurn)
    {
        if (!hasTurn)
        {
            await _turn.WaitAsync();
        }

        try
        {
            for (var used = 0; used < count && !IsOver;)
            {
                if (Received + count - used > file.Size)
                {
                    await EndInTurnAsync(UploadFailure.TooMuch);
                    return;
                }

                if (!await HaveBufferAsync())
                {
                    return;
                }

                var part = Math.Min(count - used, IFileStore.ChunkBytes - _filled);
                Fill(bytes.AsSpan(used, part));
                used += part;
                if (_filled == IFileStore.ChunkBytes && !await StoreChunkAsync())
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (FailureOf(exception) is { } failure)
        {
            await EndInTurnAsync(failure);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
            EndTurn();
        }
    }

    private void Fill(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(_filled));
        _filled += bytes.Length;
    }

    /// <summary>From here on the sender's silence counts; the time that its bytes took here does not.</summary>
    private void EndTurn()
    {
        _heardAt = time.GetTimestamp();
        _turn.Release();
    }

    /// <returns>False if it has failed.</returns>
    private async ValueTask<bool> HaveBufferAsync()
    {
        if (_buffer is not null)
        {
            return true;
        }

        _buffer = await buffers.RentAsync();
        if (_buffer is null)
        {
            await EndInTurnAsync(UploadFailure.Busy);
            return false;
        }

        _bufferSince = time.GetTimestamp();
        if (_filled > 0)
        {
            using var parked = await store.ReadAsync(id, Chunk);
            if (parked is null || parked.Memory.Length != _filled)
            {
                await EndInTurnAsync(UploadFailure.Unavailable);
                return false;
            }

            parked.Memory.CopyTo(_buffer);
        }

        return true;
    }

    /// <returns>False if it has failed.</returns>
    private async ValueTask<bool> StoreChunkAsync()
    {
        if (!await HaveBufferAsync())
        {
            return false;
        }

        await store.WriteAsync(id, Chunk, _buffer.AsMemory(0, _filled));
        _hash.AppendData(_buffer!, 0, _filled);
        _stored += _filled;
        _filled = 0;
        ReleaseBuffer();
        return true;
    }

    private async ValueTask EndInTurnAsync(UploadFailure failure)
    {
        if (IsOver)
        {
            return;
        }

        IsOver = true;
        ReleaseBuffer();
        _hash.Dispose();
        try
        {
            await store.DeleteAsync(id);
        }
        catch (RedisUnavailableException)
        {
            // What is stored expires by itself.
        }

        ended(failure);
    }

    private void ReleaseBuffer()
    {
        if (_buffer is { } buffer)
        {
            _buffer = null;
            buffers.Return(buffer);
        }
    }

    private static UploadFailure? FailureOf(Exception exception) => exception switch
    {
        NoSpaceException => UploadFailure.NoSpace,
        RedisUnavailableException => UploadFailure.Unavailable,
        _ => null,
    };
}
