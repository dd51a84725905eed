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
    private readonly Dictionary<RoomKey, LinkedListNode<KnownMembers>> _rooms = [];

    /// <summary>Those for which something was kept last come last.</summary>
    private readonly LinkedList<KnownMembers> _byAge = new();
    private long _moment;

    /// <summary>The latest change of a room that is no longer remembered.</summary>
    private long _forgottenChange;
    private long _weight;

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
            return (_rooms.GetValueOrDefault(room)?.Value.ChangedAt ?? _forgottenChange) > since;
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
                var known = Of(room);
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
        lock (_gate)
        {
            if (_rooms.GetValueOrDefault(room) is { } node)
            {
                Keep(node, set, asked);
            }
        }
    }

    /// <summary>What is known of a room is no longer valid, nor is the answer to anything that is under way.</summary>
    public void Drop(RoomKey room)
    {
        lock (_gate)
        {
            var known = Of(room);
            _weight -= known.Weight;
            known.Drop(++_moment);
            _weight += known.Weight;
        }
    }

    /// <summary>A list grants; it refuses nobody who has become a member since: that takes a question on the user's own behalf.</summary>
    private RoomAnswer? Known(KnownMembers known, long userId, long began)
    {
        if (known.List is { } list && IsFresh(list.At))
        {
            if (list.Users.Contains(userId))
            {
                return RoomAnswer.Granted;
            }

            if (list.Kept > began)
            {
                _weight -= known.Weight;
                known.Refuse(userId, new(list.At, list.Asked));
                _weight += known.Weight;
                return RoomAnswer.Forbidden;
            }
        }

        return known.TryGetRefusal(userId, out var refusal) && IsFresh(refusal.At) ? RoomAnswer.Forbidden : null;
    }

    /// <summary>Whether a list that is no longer fresh lets a user in while the answer is awaited.</summary>
    /// <param name="isKnown">It does now: if the answer says otherwise, whoever is in by that list has to go.</param>
    private bool IsLent(RoomKey room, long userId, bool isKnown)
    {
        lock (_gate)
        {
            if (_rooms.GetValueOrDefault(room)?.Value is not { List: { } list } known || !IsUsable(list.At)
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
        lock (_gate)
        {
            return _rooms.GetValueOrDefault(room)?.Value.List is not { } list || !IsUsable(list.At) ? RoomAnswer.Unavailable
                : list.Users.Contains(userId) ? RoomAnswer.Granted
                : RoomAnswer.Forbidden;
        }
    }

    private async Task AskAsync(RoomKey room, long userId, string tokenKey, MemberQuestion question)
    {
        var isAnswered = false;
        try
        {
            var users = (await source.GetMembersAsync(room, tokenKey, CancellationToken.None))?.ToFrozenSet();
            lock (_gate)
            {
                var node = NodeOf(room);
                if (users is not null)
                {
                    Keep(node, users, question.Asked);
                }
                else
                {
                    Refuse(node, userId, question.Asked);
                }
            }

            isAnswered = true;
        }
        catch (QuantumUnavailableException)
        {
            // Who waits is told so; an older list may still count.
        }
        finally
        {
            lock (_gate)
            {
                var known = Of(room);
                known.Question = known.Question == question ? null : known.Question;
            }

            question.End(isAnswered);
        }
    }

    private void Keep(LinkedListNode<KnownMembers> node, FrozenSet<long> users, long asked)
    {
        var known = node.Value;
        _weight -= known.Weight;
        var isKept = known.TryKeep(new(users, time.GetTimestamp(), asked, ++_moment));
        _weight += known.Weight;
        if (isKept)
        {
            Touch(node);
        }
    }

    private void Refuse(LinkedListNode<KnownMembers> node, long userId, long asked)
    {
        var known = node.Value;
        _weight -= known.Weight;
        known.Sweep(refusal => IsFresh(refusal.At));
        known.Refuse(userId, new(time.GetTimestamp(), asked));
        _weight += known.Weight;
        Touch(node);
    }

    private KnownMembers Of(RoomKey room) => NodeOf(room).Value;

    private LinkedListNode<KnownMembers> NodeOf(RoomKey room)
    {
        if (!_rooms.TryGetValue(room, out var node))
        {
            node = new(new(room, _forgottenChange));
            _rooms[room] = node;
            _weight += node.Value.Weight;
            Touch(node);
        }

        return node;
    }

    private void Touch(LinkedListNode<KnownMembers> node)
    {
        node.Value.KeptAt = time.GetTimestamp();
        if (node.List is not null)
        {
            _byAge.Remove(node);
        }

        _byAge.AddLast(node);
        Sweep();
    }

    /// <summary>
    /// Removes the oldest, as far as they are no longer of use or there is too much: a few each time, so that nobody waits for it.
    /// </summary>
    private void Sweep()
    {
        for (var removed = 0; removed < RoomAccessOptions.SweptAtOnce; removed++)
        {
            var oldest = _byAge.First!.Value;
            if (_byAge.Count == 1 || (IsUsable(oldest.KeptAt) && _weight <= RoomAccessOptions.MaxKeptUsers))
            {
                return;
            }

            // What is under way there counts as from before a change: it is asked again.
            _forgottenChange = Math.Max(_forgottenChange, oldest.ChangedAt);
            _weight -= oldest.Weight;
            _byAge.RemoveFirst();
            _rooms.Remove(oldest.Room);
        }
    }

    private bool IsFresh(long at) => time.GetElapsedTime(at) < RoomAccessOptions.Fresh;

    private bool IsUsable(long at) => time.GetElapsedTime(at) < RoomAccessOptions.Usable;
}
