using System.Collections.Frozen;
using ChatServer.Protocol;

namespace ChatServer.Rooms.Access;

/// <summary>
/// What is known of one room's members. The lists' lock guards it. Moments are numbers that grow with each question and each change, so
/// that it is certain which of two came first; ages are timestamps of the clock.
/// </summary>
/// <param name="changedAt">The moment of the last change that is remembered.</param>
internal sealed class KnownMembers(RoomKey room, long changedAt)
{
    /// <summary>What an entry counts beside its users.</summary>
    private const int BareWeight = 16;

    private Dictionary<long, Refusal> _refusals = [];

    public RoomKey Room => room;

    /// <summary>What was asked for before that moment does not count.</summary>
    public long ChangedAt { get; set; } = changedAt;

    public MemberList? List { get; private set; }

    /// <summary>The question that is under way, unless the members have changed since it was asked.</summary>
    public MemberQuestion? Question { get; set; }

    /// <summary>Whether somebody was let in by a list that is no longer fresh: the next answer may say otherwise.</summary>
    public bool HasLent { get; set; }

    /// <summary>When something was last kept.</summary>
    public long KeptAt { get; set; }

    /// <summary>The weight as it stands in the sum of all rooms.</summary>
    public int Counted { get; set; }

    /// <summary>What it takes of the memory for all rooms, in user ids.</summary>
    public int Weight => BareWeight + (List?.Users.Count ?? 0) + _refusals.Count;

    /// <returns>False if a later one is known, or the members have changed since it was asked for.</returns>
    public bool TryKeep(MemberList list)
    {
        if (list.Asked <= ChangedAt || list.Asked <= List?.Asked)
        {
            return false;
        }

        List = list;
        return true;
    }

    public void Refuse(long userId, Refusal refusal) => _refusals[userId] = refusal;

    public bool TryGetRefusal(long userId, out Refusal refusal) => _refusals.TryGetValue(userId, out refusal);

    /// <summary>Drops refusals that no longer count.</summary>
    public void Sweep(Func<Refusal, bool> counts) =>
        _refusals = _refusals.Where(refusal => counts(refusal.Value)).ToDictionary();

    /// <summary>The members have changed: nothing that is known counts any more.</summary>
    public void Drop(long moment)
    {
        (ChangedAt, List, Question, HasLent) = (moment, null, null, false);
        _refusals = [];
    }

    /// <summary>An answer has come: who was let in by an older list may have to go.</summary>
    /// <returns>False if nobody was.</returns>
    public bool TryEndLending(long moment)
    {
        if (!HasLent)
        {
            return false;
        }

        (ChangedAt, HasLent) = (moment, false);
        return true;
    }
}

/// <summary>A room's members, as Quantum said.</summary>
/// <param name="At">When it was kept, as the clock's timestamps count.</param>
/// <param name="Asked">The moment at which it was asked for.</param>
/// <param name="Kept">The moment at which it was kept.</param>
internal sealed record MemberList(FrozenSet<long> Users, long At, long Asked, long Kept);

/// <summary>That Quantum does not let a user in.</summary>
/// <param name="At">When it was kept, as the clock's timestamps count.</param>
/// <param name="Asked">The moment at which it was asked for.</param>
internal readonly record struct Refusal(long At, long Asked);

/// <summary>A question for a room's members that is under way, and who wait for it.</summary>
/// <param name="asked">The moment at which it was asked.</param>
/// <param name="at">The same, as the clock's timestamps count.</param>
internal sealed class MemberQuestion(long asked, long at)
{
    private readonly TaskCompletionSource<bool> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Asked => asked;

    public long At => at;

    /// <summary>Whether Quantum has answered; false: it is out of reach.</summary>
    public Task<bool> Answered => _answered.Task;

    public void End(bool isAnswered) => _answered.SetResult(isAnswered);
}
