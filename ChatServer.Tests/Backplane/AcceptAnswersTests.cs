using System.Text;
using ChatServer.Backplane;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;

namespace ChatServer.Tests.Backplane;

public sealed class AcceptAnswersTests
{
    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("7x")]
    [InlineData("7 ")]
    [InlineData("7 e1")]
    [InlineData("7 e1 2026-01-01T10")]
    [InlineData("99999999999999999999")]
    public void WhatTheScriptNeverAnswers_IsAFormatException(string line)
    {
        var tell = () => new AcceptAnswers(Encoding.UTF8.GetBytes($"= e1\n{line}")).Tell(
            new(Drafts.Of(new(3, 12), 7, "id"), default!, new Nobody()));

        tell.Should().Throw<FormatException>().WithMessage("The accept script answered*");
    }

    [Fact]
    public void WhatAnIdentifiersKeyNeverHolds_IsAFormatException()
    {
        AcceptAnswers.ParseKnown("7 e1 t").Should().Be(new Acceptance(7, "e1", "t", IsRepeat: true));
        FluentActions.Invoking(() => AcceptAnswers.ParseKnown("7")).Should().Throw<FormatException>();
        FluentActions.Invoking(() => AcceptAnswers.ParseKnown("7 e1")).Should().Throw<FormatException>();
    }

    private sealed class Nobody : IAcceptListener
    {
        public void OnAccepted(MessageDraft draft, Acceptance acceptance)
        {
        }

        public void OnUnavailable(MessageDraft draft, RedisUnavailableException why)
        {
        }
    }
}
