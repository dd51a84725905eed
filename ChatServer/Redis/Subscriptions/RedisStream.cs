using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace ChatServer.Redis.Subscriptions;

/// <summary>A bare connection to Redis: TCP, and TLS if that is set.</summary>
internal static class RedisStream
{
    /// <exception cref="RedisUnavailableException">Redis is out of reach, or its certificate is not trusted.</exception>
    public static async Task<Stream> OpenAsync(RedisOptions options)
    {
        var server = options.EndPoints[0];
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            using var enough = new CancellationTokenSource(RedisOptions.ConnectWithin);
            await socket.ConnectAsync(server, enough.Token);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (options.Tls)
            {
                var secure = new SslStream(stream);
                stream = secure;
                await secure.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = server.Host }, enough.Token);
            }

            return stream;
        }
        catch (Exception exception)
            when (exception is IOException or SocketException or OperationCanceledException or AuthenticationException)
        {
            if (stream is not null)
            {
                await stream.DisposeAsync();
            }

            socket.Dispose();
            throw new RedisUnavailableException($"Redis is out of reach: {exception.Message}", exception);
        }
    }
}
