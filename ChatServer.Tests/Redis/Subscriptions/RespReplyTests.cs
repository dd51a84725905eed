using System.Text;
using ChatServer.Redis.Subscriptions;

namespace ChatServer.Tests.Redis.Subscriptions;

public sealed class RespReplyTests
{
    [Fact]
    public void EveryKind_IsReadAndLeavesWhatFollows()
    {
        Read("+OK\r\n+next").Should().Be("Simple OK||, 5 used");
        Read("-ERR no\r\nx").Should().Be("Error ERR no||, 9 used");
        Read("*3\r\n$9\r\nsubscribe\r\n$6\r\nuser_7\r\n:12\r\n*3").Should().Be("Event subscribe|user_7|12, 36 used");
        Read("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$6\r\n{\r\n\r\n}\r\n").Should().Be("Event message|c|{\r\n\r\n}, 36 used");
        Read("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n\r\n").Should().Be("Event message|c|, 30 used");
        Read("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n").Should().Be("Event unsubscribe||0, 31 used");
    }

    [Theory]
    [InlineData("+OK\r\n")]
    [InlineData("-ERR no\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n$6\r\nuser_7\r\n$12\r\nabc\r\ndefg\r\n1\r\n")]
    public void CutAnywhere_WaitsForMore(string whole)
    {
        for (var length = 0; length < whole.Length; length++)
        {
            Read(whole[..length]).Should().BeNull("it is {0} of {1} bytes", length, whole.Length);
        }

        Read(whole).Should().EndWith($", {whole.Length} used");
    }

    [Fact]
    public void TheLongestLength_WaitsForMore() => Read("*3\r\n$2147483647\r\nmessage\r\n$1\r\nc\r\n").Should().BeNull();

    [Theory]
    [InlineData("\r\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n")]
    [InlineData(":1\r\n")]
    [InlineData("*2\r\n$4\r\npong\r\n$0\r\n\r\n")]
    [InlineData("*x\r\n")]
    [InlineData("*3\r\n$7x\r\nmessage\r\n")]
    [InlineData("*3\r\n*1\r\n$1\r\na\r\n")]
    public void WhatMayNotCome_IsSaid(string foreign)
    {
        var reading = () => Read(foreign);

        reading.Should().Throw<InvalidDataException>().WithMessage("Redis sent what no subscription brings*");
    }

    private static string? Read(string input) =>
        RespReply.TryRead(Encoding.UTF8.GetBytes(input), out var reply, out var used)
            ? $"{reply.Kind} {Text(reply.Text)}|{Text(reply.Channel)}|{Text(reply.Payload)}, {used} used"
            : null;

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
