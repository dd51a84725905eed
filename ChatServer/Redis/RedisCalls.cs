using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>Calls Redis with a time limit, and turns what goes wrong into one exception, <see cref="RedisUnavailableException"/>.</summary>
internal static class RedisCalls
{
    /// <summary>Runs a call; once more if Redis has forgotten the script that it names.</summary>
    /// <exception cref="RedisUnavailableException">
    /// No answer within <see cref="RedisOptions.AnswerWithin"/>, or a refusal. The call may have had its effect.
    /// </exception>
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
            throw new RedisUnavailableException($"Redis is out of reach: {exception.Message}", exception);
        }
    }
}
