using System.Collections.Concurrent;
using System.Collections.Frozen;
using ChatServer.Protocol;
using ChatServer.Quantum;

namespace ChatServer.Rooms.Access;

/// <summary>
/// Quantum's lists of members, kept for a minute, and for an hour while Quantum is out of reach. Many who come at once cause one question.
/// A refusal (403, 404) is an answer to the one user who asked and never counts for another.
/// </summary>
internal sealed class MemberLists(IMemberSource source, TimeProvider time)
{
    private readonly ConcurrentDictionary<RoomKey, Answer> _lists = new();
    private readonly ConcurrentDictionary<(RoomKey Room, long User), long> _refusals = new();
    private readonly ConcurrentDictionary<RoomKey, Task<Outcome>> _asking = new();

    /// <summary>Held while an answer is kept, and while all answers from before a change are dropped.</summary>
    private readonly Lock _keeping = new();
    private int _drops;

    /// <summary>How often Quantum has said that a room's members have changed.</summary>
    public int Changes => Volatile.Read(ref _drops);

    public async ValueTask<RoomAnswer> CheckAsync(RoomKey room, long userId, string tokenKey)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            if (Known(room, userId) is { } known)
            {
                return known;
            }

            var mine = new TaskCompletionSource<Outcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            var asking = _asking.GetOrAdd(room, mine.Task);
            var outcome = asking == mine.Task ? await AskAsync(room, userId, tokenKey, mine) : await asking;
            if (outcome == Outcome.Unreachable)
            {
                var list = _lists.GetValueOrDefault(room);
                return list is null || time.GetElapsedTime(list.At) >= RoomAccessOptions.Usable ? RoomAnswer.Unavailable
                    : list.Users.Contains(userId) ? RoomAnswer.Granted
                    : RoomAnswer.Forbidden;
            }

            lock (_keeping)
            {
                if (_lists.TryGetValue(room, out var list) && list.At >= began && !list.Users.Contains(userId))
                {
                    _refusals[(room, userId)] = list.At;
                }
            }

            // If the one who asked was refused, the next one asks with its own token.
        }
    }

    /// <summary>Quantum has told who is in a room without being asked.</summary>
    public void Refresh(RoomKey room, IEnumerable<long> users) => _lists[room] = new(users.ToFrozenSet(), time.GetTimestamp());

    /// <summary>What is known of a room is no longer valid, nor is the answer to a question that is under way.</summary>
    public void Drop(RoomKey room)
    {
        lock (_keeping)
        {
            _drops++;
            _asking.TryRemove(room, out _);
            _lists.TryRemove(room, out _);
            foreach (var refusal in _refusals.Keys.Where(refusal => refusal.Room == room))
            {
                _refusals.TryRemove(refusal, out _);
            }
        }
    }

    /// <summary>A list grants; it refuses nobody who has become a member since: that takes a question on the user's own behalf.</summary>
    private RoomAnswer? Known(RoomKey room, long userId)
    {
        if (_lists.TryGetValue(room, out var list) && time.GetElapsedTime(list.At) < RoomAccessOptions.Fresh && list.Users.Contains(userId))
        {
            return RoomAnswer.Granted;
        }

        return _refusals.TryGetValue((room, userId), out var at) && time.GetElapsedTime(at) < RoomAccessOptions.Fresh
            ? RoomAnswer.Forbidden
            : null;
    }

    private async Task<Outcome> AskAsync(RoomKey room, long userId, string tokenKey, TaskCompletionSource<Outcome> asking)
    {
        var outcome = Outcome.Unreachable;
        try
        {
            Sweep();
            if (Known(room, userId) is not null)
            {
                // Whoever asked before has just got the answer.
            }
            else
            {
                Keep(room, userId, await source.GetMembersAsync(room, tokenKey, CancellationToken.None), asking.Task);
            }

            outcome = Outcome.Answered;
        }
        catch (QuantumUnavailableException)
        {
            // The outcome says so; an older list may still count.
        }
        finally
        {
            _asking.TryRemove(KeyValuePair.Create(room, asking.Task));
            asking.SetResult(outcome);
        }

        return outcome;
    }

    /// <summary>Keeps an answer, unless the members have changed since it was asked for: whoever waits for it then asks again.</summary>
    private void Keep(RoomKey room, long userId, IReadOnlyList<long>? users, Task<Outcome> asking)
    {
        lock (_keeping)
        {
            if (_asking.GetValueOrDefault(room) != asking)
            {
                return;
            }

            if (users is null)
            {
                _refusals[(room, userId)] = time.GetTimestamp();
            }
            else
            {
                Refresh(room, users);
            }
        }
    }

    /// <summary>Removes what is no longer valid, so that many rooms over a long time don't fill the memory.</summary>
    private void Sweep()
    {
        if (_lists.Count + _refusals.Count < RoomAccessOptions.SweepAt)
        {
            return;
        }

        foreach (var (room, list) in _lists)
        {
            if (time.GetElapsedTime(list.At) >= RoomAccessOptions.Usable)
            {
                _lists.TryRemove(room, out _);
            }
        }

        foreach (var (refusal, at) in _refusals)
        {
            if (time.GetElapsedTime(at) >= RoomAccessOptions.Fresh)
            {
                _refusals.TryRemove(refusal, out _);
            }
        }
    }

    private enum Outcome
    {
        Answered,
        Unreachable,
    }

    private sealed record Answer(FrozenSet<long> Users, long At);
}
