using ChatServer.Endpoints;
using ChatServer.Operations;

namespace ChatServer.Tests.Operations;

public sealed class CommandTests
{
    [Theory]
    [InlineData("", (int)ListenMode.Ws)]
    [InlineData("ws", (int)ListenMode.Ws)]
    [InlineData("wss", (int)ListenMode.Wss)]
    [InlineData("both", (int)ListenMode.Both)]
    public void Parse_NoCommand_ServesWhatIsNamed(string line, int mode)
    {
        var command = Parse(line);

        (command!.Kind, (int)command.Mode).Should().Be((CommandKind.Serve, mode));
        command.Arguments.Should().BeEmpty();
    }

    [Fact]
    public void Parse_HealthCheck_IsOne() => Parse("healthcheck")!.Kind.Should().Be(CommandKind.HealthCheck);

    [Theory]
    [InlineData("dead-letters list", "list")]
    [InlineData("dead-letters retry", "retry")]
    [InlineData("dead-letters retry a1 a2", "retry a1 a2")]
    [InlineData("dead-letters drop a1", "drop a1")]
    [InlineData("dead-letters drop a1 a2", "drop a1 a2")]
    public void Parse_DeadLetters_TakesWhatToDoWithWhat(string line, string arguments)
    {
        var command = Parse(line);

        command!.Kind.Should().Be(CommandKind.DeadLetters);
        command.Arguments.Should().Equal(arguments.Split(' '));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("WSS")]
    [InlineData("ws wss")]
    [InlineData("healthcheck now")]
    [InlineData("dead-letters")]
    [InlineData("dead-letters drop")]
    [InlineData("dead-letters list a1")]
    [InlineData("dead-letters bury a1")]
    public void Parse_WhatMakesNoSense_IsNone(string line) => Parse(line).Should().BeNull();

    [Theory]
    [InlineData("wss")]
    [InlineData("both")]
    [InlineData("healthcheck")]
    [InlineData("dead-letters list")]
    [InlineData("dead-letters retry [name…]")]
    [InlineData("dead-letters drop name…")]
    public void Usage_NamesEachCommand(string line) => Command.Usage.Should().Contain($"ChatServer {line} ");

    private static Command? Parse(string line) => Command.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
