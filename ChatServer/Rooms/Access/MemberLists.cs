using System.Collections.Frozen;
using ChatServer.Protocol;
using ChatServer.Quantum;

namespace ChatServer.Rooms.Access;

/// <summary>
/// Quantum's lists of members, kept for a minute, and for an hour while Quantum is out of reach. Many who come at once cause one question.
/// A refusal (403, 404) is an answer to the one user who asked and never counts for another. What was asked for before a room's members
/// changed counts for nobody.
/// </summary>
internal sealed class MemberLists(IMemberSource source, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly KnownRooms _rooms = new(time);
    private long _moment;

    /// <summary>What was asked for before is not fresh: changes from then may not have been heard of.</summary>
    private long _doubtedAt;
    private Action<RoomKey>? _outdated;

    /// <summary>How many rooms something is kept of.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _rooms.Count;
            }
        }
    }

    /// <summary>The present moment, for <see cref="HasChanged"/> and <see cref="Refresh"/>: take it before something is asked for.</summary>
    public long Now()
    {
        lock (_gate)
        {
            return ++_moment;
        }
    }

    /// <summary>Whether a room's members have changed, or may have, since a moment: what was asked for before may no longer hold.</summary>
    public bool HasChanged(RoomKey room, long since)
    {
        lock (_gate)
        {
            return Math.Max(_doubtedAt, _rooms.ChangeOf(room)) > since;
        }
    }

    /// <summary>
    /// Calls back, on any thread, when Quantum has answered for a room into which somebody was let meanwhile by an older list.
    /// </summary>
    public void WhenOutdated(Action<RoomKey> outdated) => _outdated += outdated;

    /// <summary>Whether a fresh answer for a user is known.</summary>
    public bool IsCertain(RoomKey room, long userId)
    {
        lock (_gate)
        {
            return _rooms.Find(room) is { } known && Known(known, userId, _moment) is not null;
        }
    }

    public async ValueTask<RoomAnswer> CheckAsync(RoomKey room, long userId, string tokenKey)
    {
        var began = Now();
        while (true)
        {
            MemberQuestion question;
            var isMine = false;
            lock (_gate)
            {
                var known = _rooms.Of(room);
                if (Known(known, userId, began) is { } answer)
                {
                    return answer;
                }

                isMine = known.Question is null;
                question = known.Question ??= new(++_moment, time.GetTimestamp());
            }

            var asking = isMine ? AskAsync(room, userId, tokenKey, question) : Task.CompletedTask;
            if (IsLent(room, userId, isKnown: false) && !await IsAnsweredSoonAsync(question) && IsLent(room, userId, isKnown: true))
            {
                return RoomAnswer.Granted;
            }

            var isAnswered = await question.Answered;
            await asking;
            if (!isAnswered)
            {
                return Last(room, userId);
            }

            // If the one who asked was refused, or the members have changed meanwhile, the next one asks with its own token.
        }
    }

    /// <summary>
    /// Quantum has told who is in a room without being asked. That is kept for rooms only that somebody has asked for here: nobody may
    /// ever ask for the others.
    /// </summary>
    /// <param name="asked">The moment, of <see cref="Now"/>, before the call that brought it: it may be older than what is known.</param>
    public void Refresh(RoomKey room, IEnumerable<long> users, long asked)
    {
        var set = users.ToFrozenSet();
        var isOutdated = false;
        lock (_gate)
        {
            if (_rooms.Find(room) is { } known)
            {
                isOutdated = Keep(known, set, asked);
            }
        }

        Outdated(room, isOutdated);
    }

    /// <summary>What is known of a room is no longer valid, nor is the answer to anything that is under way.</summary>
    public void Drop(RoomKey room)
    {
        lock (_gate)
        {
            var known = _rooms.Of(room);
            known.Drop(++_moment);
            _rooms.Weigh(known);
        }
    }

    /// <summary>
    /// Changes of any room may have gone unheard: lists are no longer fresh, though they still count while Quantum is out of reach.
    /// </summary>
    public void Doubt()
    {
        lock (_gate)
        {
            _doubtedAt = ++_moment;
        }
    }

    /// <summary>A list grants; it refuses nobody who has become a member since: that takes a question on the user's own behalf.</summary>
    private RoomAnswer? Known(KnownMembers known, long userId, long began)
    {
        if (known.List is { } list && IsFresh(list.At, list.Asked))
        {
            if (list.Users.Contains(userId))
            {
                return RoomAnswer.Granted;
            }

            if (list.Kept > began)
            {
                known.Refuse(userId, new(list.At, list.Asked));
                _rooms.Weigh(known);
                return RoomAnswer.Forbidden;
            }
        }

        return known.TryGetRefusal(userId, out var refusal) && IsFresh(refusal.At, refusal.Asked) ? RoomAnswer.Forbidden : null;
    }

    /// <summary>Whether a list that is no longer fresh lets a user in while the answer is awaited.</summary>
    /// <param name="isKnown">It does now: if the answer says otherwise, whoever is in by that list has to go.</param>
    private bool IsLent(RoomKey room, long userId, bool isKnown)
    {
        lock (_gate)
        {
            if (_rooms.Find(room) is not { List: { } list } known || !IsUsable(list.At)
                || !list.Users.Contains(userId))
            {
                return false;
            }

            known.HasLent |= isKnown;
            return true;
        }
    }

    /// <returns>False if an answer has been awaited for too long.</returns>
    private async Task<bool> IsAnsweredSoonAsync(MemberQuestion question)
    {
        var patience = RoomAccessOptions.Patience - time.GetElapsedTime(question.At);
        if (question.Answered.IsCompleted || patience <= TimeSpan.Zero)
        {
            return question.Answered.IsCompleted;
        }

        using var enough = new CancellationTokenSource();
        var first = await Task.WhenAny(question.Answered, Task.Delay(patience, time, enough.Token));
        await enough.CancelAsync();
        return first == question.Answered;
    }

    /// <summary>What counts while Quantum is out of reach.</summary>
    private RoomAnswer Last(RoomKey room, long userId)
    {
        if (IsLent(room, userId, isKnown: true))
        {
            return RoomAnswer.Granted;
        }

        lock (_gate)
        {
            return _rooms.Find(room)?.List is { } list && IsUsable(list.At) ? RoomAnswer.Forbidden : RoomAnswer.Unavailable;
        }
    }

    private async Task AskAsync(RoomKey room, long userId, string tokenKey, MemberQuestion question)
    {
        var isAnswered = false;
        try
        {
            var users = (await source.GetMembersAsync(room, tokenKey, CancellationToken.None))?.ToFrozenSet();
            bool isOutdated;
            lock (_gate)
            {
                var known = _rooms.Of(room);
                isOutdated = users is not null
                    ? Keep(known, users, question.Asked)
                    : Refuse(known, userId, question.Asked);
            }

            isAnswered = true;
            Outdated(room, isOutdated);
        }
        catch (QuantumUnavailableException)
        {
            // Who waits is told so; an older list may still count.
        }
        finally
        {
            lock (_gate)
            {
                var known = _rooms.Of(room);
                known.Question = known.Question == question ? null : known.Question;
            }

            question.End(isAnswered);
        }
    }

    private void Outdated(RoomKey room, bool isOutdated)
    {
        if (isOutdated)
        {
            _outdated?.Invoke(room);
        }
    }

    /// <returns>Whether somebody was let in by an older list.</returns>
    private bool Keep(KnownMembers known, FrozenSet<long> users, long asked)
    {
        if (!known.TryKeep(new(users, time.GetTimestamp(), asked, ++_moment)))
        {
            return false;
        }

        _rooms.Kept(known);
        return known.TryEndLending(++_moment);
    }

    /// <returns>Whether somebody was let in by an older list.</returns>
    private bool Refuse(KnownMembers known, long userId, long asked)
    {
        if (asked <= known.ChangedAt)
        {
            return false;
        }

        known.Sweep(refusal => IsFresh(refusal.At, refusal.Asked));
        known.Refuse(userId, new(time.GetTimestamp(), asked));
        _rooms.Kept(known);
        return known.TryEndLending(++_moment);
    }

    private bool IsFresh(long at, long asked) => asked > _doubtedAt && time.GetElapsedTime(at) < RoomAccessOptions.Fresh;

    private bool IsUsable(long at) => time.GetElapsedTime(at) < RoomAccessOptions.Usable;
}
