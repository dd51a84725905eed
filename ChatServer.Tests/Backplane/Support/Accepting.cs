using ChatServer.Backplane;
using ChatServer.Redis;

namespace ChatServer.Tests.Backplane.Support;

/// <summary>The accept step as a call that can be awaited.</summary>
internal static class Accepting
{
    /// <exception cref="RedisUnavailableException">It was not accepted, as far as is known.</exception>
    public static async Task<Acceptance> AcceptAsync(this IBackplane backplane, MessageDraft draft)
    {
        var outcome = new Outcome();
        backplane.Accept(draft, outcome);
        return await outcome.Task;
    }

    private sealed class Outcome() : TaskCompletionSource<Acceptance>(TaskCreationOptions.RunContinuationsAsynchronously), IAcceptListener
    {
        public void OnAccepted(MessageDraft draft, Acceptance acceptance) => SetResult(acceptance);

        public void OnUnavailable(MessageDraft draft, RedisUnavailableException why) => SetException(why);
    }
}
