using ChatServer.Relay;

namespace ChatServer.Tests.Relay;

/// <summary>The accept step as a call that can be awaited.</summary>
internal static class Accepting
{
    /// <exception cref="RelayUnavailableException">It was not accepted, as far as is known.</exception>
    public static async Task<Acceptance> AcceptAsync(this IRelay relay, MessageDraft draft)
    {
        var outcome = new Outcome();
        relay.Accept(draft, outcome);
        return await outcome.Task;
    }

    private sealed class Outcome() : TaskCompletionSource<Acceptance>(TaskCreationOptions.RunContinuationsAsynchronously), IAcceptListener
    {
        public void OnAccepted(MessageDraft draft, Acceptance acceptance) => SetResult(acceptance);

        public void OnUnavailable(MessageDraft draft, RelayUnavailableException why) => SetException(why);
    }
}
