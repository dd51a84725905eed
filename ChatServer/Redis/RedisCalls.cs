using ChatServer.Relay;
using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>Calls Redis with a time limit, and turns what goes wrong into one exception that the house knows.</summary>
internal static class RedisCalls
{
    /// <summary>Runs a call; once more where Redis has forgotten the script that it names.</summary>
    /// <exception cref="RelayUnavailableException">No answer within <see cref="RedisOptions.AnswerWithin"/>, or a refusal. The call may have had its effect.</exception>
    public static async Task<T> TryAsync<T>(Func<Task<T>> call)
    {
        try
        {
            try
            {
                return await call().WaitAsync(RedisOptions.AnswerWithin);
            }
            catch (RedisServerException exception) when (RedisFaults.IsScriptForgotten(exception))
            {
                return await call().WaitAsync(RedisOptions.AnswerWithin);
            }
        }
        catch (Exception exception) when (RedisFaults.IsUnavailable(exception))
        {
            throw new RelayUnavailableException($"Redis is out of reach: {exception.Message}", exception);
        }
    }

    /// <summary>Hears a channel, in the order in which Redis sends; the listener must only hand over.</summary>
    /// <exception cref="RelayUnavailableException">The subscription is not in force.</exception>
    public static async ValueTask<IAsyncDisposable> SubscribeAsync(ISubscriber subscriber, string channel, Action<ReadOnlyMemory<byte>> listener)
    {
        var queue = await TryAsync(() => subscriber.SubscribeAsync(RedisChannel.Literal(channel)));
        queue.OnMessage(message => listener(message.Message));
        return new Subscription(queue);
    }

    private sealed class Subscription(ChannelMessageQueue queue) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                await queue.UnsubscribeAsync();
            }
            catch (Exception exception) when (RedisFaults.IsUnavailable(exception))
            {
                // A subscription that ends with its connection has ended too.
            }
        }
    }
}
