namespace ChatServer.Redis;

/// <summary>
/// Redis is out of reach, did not answer within <see cref="RedisOptions.AnswerWithin"/>, or refuses. What was asked may have had its effect
/// all the same.
/// </summary>
internal sealed class RedisUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
