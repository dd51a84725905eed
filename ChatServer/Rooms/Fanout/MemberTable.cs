namespace ChatServer.Rooms.Fanout;

/// <summary>
/// A room's members. The room's lock guards all changes; <see cref="Snapshot"/> may be walked without it: a table only ever grows in place,
/// someone who leaves becomes an empty place, and empty places are removed by copying into a new table.
/// </summary>
internal sealed class MemberTable
{
    private Member?[] _members = [];
    private int _used;

    public int Count { get; private set; }

    public ReadOnlyMemory<Member?> Snapshot => _members.AsMemory(0, _used);

    public void Add(Member member)
    {
        if (_used == _members.Length)
        {
            Copy(Math.Max(2, 2 * Count));
        }

        member.Index = _used;
        _members[_used++] = member;
        Count++;
    }

    public void Remove(Member member)
    {
        _members[member.Index] = null;
        member.Index = -1;
        Count--;
        if (_used > 8 && Count < _used / 2)
        {
            Copy(_used);
        }
    }

    private void Copy(int capacity)
    {
        var copy = new Member?[capacity];
        var used = 0;
        foreach (var member in _members.AsSpan(0, _used))
        {
            if (member is not null)
            {
                member.Index = used;
                copy[used++] = member;
            }
        }

        _members = copy;
        _used = used;
    }
}
