using System.Net.Sockets;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Tests.Redis;

public sealed class RedisCallsTests
{
    public static readonly TheoryData<Exception> Faults =
    [
        new RedisConnectionException(ConnectionFailureType.SocketFailure, CommandFlags.None, "x", null, CommandStatus.Unknown),
        new RedisTimeoutException(CommandFlags.None, "x", CommandStatus.Sent),
        new RedisServerException(RedisErrorKind.OutOfMemory, CommandFlags.None, "OOM command not allowed when used memory > 'maxmemory'."),
        new ObjectDisposedException("x"),

        // What StackExchange.Redis lets through when a connection breaks while it writes.
        new IOException("Broken pipe"),
        new SocketException((int)SocketError.ConnectionReset),
    ];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Try_WhatRedisOrTheWayToItDoes_IsUnavailable(Exception fault)
    {
        var unavailable = await FluentActions.Awaiting(() => RedisCalls.TryAsync(() => Task.FromException<int>(fault)))
            .Should().ThrowAsync<RedisUnavailableException>();
        unavailable.Which.InnerException.Should().BeSameAs(fault);
    }

    [Fact]
    public async Task Try_ADefectOfOurs_ShowsAsItIs() =>
        await FluentActions.Awaiting(() => RedisCalls.TryAsync(() => Task.FromException<int>(new InvalidOperationException("x"))))
            .Should().ThrowAsync<InvalidOperationException>();
}
