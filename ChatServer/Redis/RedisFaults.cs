using System.Net.Sockets;
using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>Which exceptions mean that Redis failed or refused a call.</summary>
internal static class RedisFaults
{
    /// <summary>
    /// Redis is out of reach, slow, refuses (out of memory, read-only replica, loading), or the connection is being disposed.
    /// A connection that breaks while a command is being written shows as the transport's own exception.
    /// </summary>
    public static bool IsUnavailable(Exception exception) =>
        exception is RedisException or RedisTimeoutException or TimeoutException or ObjectDisposedException or TaskCanceledException
            or IOException or SocketException;

    /// <summary>Redis is full (<c>maxmemory</c> with <c>noeviction</c>); from within a script this text may follow other text.</summary>
    public static bool IsOutOfMemory(Exception? exception) =>
        exception is RedisServerException && exception.Message.Contains("OOM command not allowed", StringComparison.Ordinal);

    /// <summary>Redis has forgotten the scripts (a restart, SCRIPT FLUSH); StackExchange.Redis loads them again at the next call.</summary>
    public static bool IsScriptForgotten(Exception exception) =>
        exception is RedisServerException && exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal);
}
