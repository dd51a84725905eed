using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ChatServer.Redis.Subscriptions;

/// <summary>
/// A connection to Redis that carries subscriptions (https://redis.io/docs/latest/develop/pubsub/) until it first breaks. What it brings is
/// handed over on its one reading loop, without a queue or a task for each channel: a node hears one channel per user and one per room.
/// </summary>
internal sealed class SubscriberConnection : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>A buffer that a large publication has made larger than this is not kept.</summary>
    private const int MaxKeptBytes = 1024 * 1024;

    private static readonly byte[] SubscribeWord = "SUBSCRIBE"u8.ToArray();
    private static readonly byte[] UnsubscribeWord = "UNSUBSCRIBE"u8.ToArray();

    private readonly Stream _stream;
    private readonly Hearer _hear;
    private readonly Lock _gate = new();

    /// <summary>The callers that wait for the next answers, in the order of their requests; null: nobody waits for that one.</summary>
    private readonly Queue<TaskCompletionSource?> _asked = new();
    private ArrayBufferWriter<byte> _outgoing = new();
    private ArrayBufferWriter<byte> _leaving = new();
    private bool _isWriting;
    private Action? _broken;
    private bool _isBroken;

    private SubscriberConnection(Stream stream, Hearer hear) => (_stream, _hear) = (stream, hear);

    /// <summary>Takes what was published; must hand over at once, and copy what it keeps.</summary>
    public delegate void Hearer(SubscriberConnection connection, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> payload);

    public bool IsBroken
    {
        get
        {
            lock (_gate)
            {
                return _isBroken;
            }
        }
    }

    /// <exception cref="RedisUnavailableException">Redis is out of reach, or refuses the login.</exception>
    public static async Task<SubscriberConnection> ConnectAsync(RedisOptions options, Hearer hear)
    {
        var connection = new SubscriberConnection(await RedisStream.OpenAsync(options), hear);
        _ = connection.ReadAsync();
        try
        {
            if (options.Password is { } password)
            {
                await (options.User is { } user ? connection.AskAsync("AUTH", user, password) : connection.AskAsync("AUTH", password));
            }
        }
        catch (RedisUnavailableException exception)
        {
            connection.Dispose();
            throw new RedisUnavailableException($"Redis is out of reach: {exception.Message}", exception);
        }

        // So that an operator recognizes it in CLIENT LIST; an ACL may forbid it.
        connection.Ask(null, "CLIENT"u8.ToArray(), "SETNAME"u8.ToArray(), Encoding.UTF8.GetBytes(RedisOptions.ClientName));
        return connection;
    }

    /// <summary>Subscribes; completes when Redis has confirmed it.</summary>
    /// <exception cref="RedisUnavailableException">
    /// Redis has not confirmed it within <see cref="RedisOptions.AnswerWithin"/>, or refuses.
    /// </exception>
    public Task SubscribeAsync(byte[] channel)
    {
        var confirmed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Ask(confirmed, SubscribeWord, channel);
        return InTimeAsync(confirmed.Task);
    }

    public void Unsubscribe(byte[] channel) => Ask(null, UnsubscribeWord, channel);

    /// <summary>Calls back once when it breaks; at once if it is broken already.</summary>
    public void WhenBroken(Action broken)
    {
        lock (_gate)
        {
            if (!_isBroken)
            {
                _broken = broken;
                return;
            }
        }

        broken();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _broken = null;
        }

        Break(new ObjectDisposedException(nameof(SubscriberConnection)));
    }

    private static async Task InTimeAsync(Task answer)
    {
        try
        {
            await answer.WaitAsync(RedisOptions.AnswerWithin);
        }
        catch (TimeoutException exception)
        {
            throw new RedisUnavailableException("Redis is out of reach: a subscription was not confirmed in time.", exception);
        }
    }

    private Task AskAsync(params string[] words)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Ask(answered, [.. words.Select(Encoding.UTF8.GetBytes)]);
        return InTimeAsync(answered.Task);
    }

    private void Ask(TaskCompletionSource? asking, params ReadOnlySpan<byte[]> words)
    {
        lock (_gate)
        {
            if (_isBroken)
            {
                asking?.SetException(new RedisUnavailableException("The connection for subscriptions is broken."));
                return;
            }

            WriteHeader('*', words.Length);
            foreach (var word in words)
            {
                WriteHeader('$', word.Length);
                _outgoing.Write(word);
                _outgoing.Write("\r\n"u8);
            }

            _asked.Enqueue(asking);
            if (_isWriting)
            {
                return;
            }

            _isWriting = true;
        }

        // Not here: requests of the same moment leave in one write.
        _ = Task.Run(WriteAsync);
    }

    private void WriteHeader(char kind, int count)
    {
        Span<byte> line = stackalloc byte[16];
        System.Text.Unicode.Utf8.TryWrite(line, CultureInfo.InvariantCulture, $"{kind}{count}\r\n", out var length);
        _outgoing.Write(line[..length]);
    }

    private async Task WriteAsync()
    {
        try
        {
            while (TakeOutgoing())
            {
                await _stream.WriteAsync(_leaving.WrittenMemory);
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            Break(exception);
        }
    }

    private bool TakeOutgoing()
    {
        lock (_gate)
        {
            _leaving.ResetWrittenCount();
            (_outgoing, _leaving) = (_leaving, _outgoing);
            return _isWriting = _leaving.WrittenCount > 0;
        }
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[BufferBytes];
        var filled = 0;
        try
        {
            while (await _stream.ReadAsync(buffer.AsMemory(filled)) is var count and > 0)
            {
                filled += count;
                var used = HandleAll(buffer.AsSpan(0, filled));
                filled -= used;
                if (filled == buffer.Length)
                {
                    Array.Resize(ref buffer, 2 * buffer.Length);
                }
                else
                {
                    buffer.AsSpan(used, filled).CopyTo(buffer);
                    buffer = filled == 0 && buffer.Length > MaxKeptBytes ? new byte[BufferBytes] : buffer;
                }
            }

            Break(new IOException("Redis has closed the connection."));
        }
        catch (Exception exception)
        {
            // Also if what came is no reply: nothing that follows could be understood.
            Break(exception);
        }
    }

    /// <returns>How many bytes whole replies took.</returns>
    private int HandleAll(ReadOnlySpan<byte> input)
    {
        var used = 0;
        while (used < input.Length && RespReply.TryRead(input[used..], out var reply, out var bytes))
        {
            used += bytes;
            if (reply.Kind == RespKind.Event && reply.Text.SequenceEqual("message"u8))
            {
                _hear(this, reply.Channel, reply.Payload);
            }
            else
            {
                Answer(reply);
            }
        }

        return used;
    }

    private void Answer(in RespReply reply)
    {
        TaskCompletionSource? asking;
        lock (_gate)
        {
            asking = _asked.Dequeue();
        }

        if (reply.Kind == RespKind.Error)
        {
            asking?.TrySetException(new RedisUnavailableException($"Redis refuses: {Encoding.UTF8.GetString(reply.Text)}"));
        }
        else
        {
            asking?.TrySetResult();
        }
    }

    private void Break(Exception why)
    {
        Action? broken;
        TaskCompletionSource?[] waiting;
        lock (_gate)
        {
            _isBroken = true;
            (broken, _broken) = (_broken, null);
            waiting = [.. _asked];
            _asked.Clear();
        }

        _stream.Dispose();
        foreach (var asking in waiting)
        {
            asking?.TrySetException(new RedisUnavailableException($"The connection for subscriptions broke: {why.Message}", why));
        }

        broken?.Invoke();
    }
}
