using ChatServer.Backplane;
using ChatServer.Redis;

namespace ChatServer.Tests.Backplane.Support;

/// <summary>The accept step as a call that can be awaited.</summary>
internal static class Accepting
{
    /// <param name="told">Called at the outcome, in the order in which messages are told theirs.</param>
    /// <exception cref="RedisUnavailableException">It was not accepted, as far as is known.</exception>
    public static async Task<Acceptance> AcceptAsync(this IBackplane backplane, MessageDraft draft, Action<MessageDraft>? told = null)
    {
        var outcome = new Outcome(told);
        backplane.Accept(draft, outcome);
        return await outcome.Task;
    }

    private sealed class Outcome(Action<MessageDraft>? told)
        : TaskCompletionSource<Acceptance>(TaskCreationOptions.RunContinuationsAsynchronously), IAcceptListener
    {
        public void OnAccepted(MessageDraft draft, Acceptance acceptance)
        {
            told?.Invoke(draft);
            SetResult(acceptance);
        }

        public void OnUnavailable(MessageDraft draft, RedisUnavailableException why) => SetException(why);
    }
}
