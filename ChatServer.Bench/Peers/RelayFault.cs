using System.Globalization;

namespace ChatServer.Bench.Peers;

/// <summary>
/// Breaks every n-th delivery of the naive relay, as <c>drop:1000</c>, <c>double:1000</c> or <c>swap:1000</c> say: the proof that the
/// generator notices, and gives no figures then.
/// </summary>
internal sealed class RelayFault(string fault)
{
    private readonly string _kind = fault.Split(':')[0];
    private readonly long _every = long.Parse(fault.Split(':')[1], CultureInfo.InvariantCulture);
    private long _deliveries;

    public async Task DeliverAsync(NaiveMember member, ReadOnlyMemory<byte> text)
    {
        var held = member.TakeHeld();
        var breaks = Interlocked.Increment(ref _deliveries) % _every == 0;
        if (breaks && _kind == "swap")
        {
            // Is sent after the next one.
            member.Hold(text.ToArray());
        }
        else if (!breaks || _kind != "drop")
        {
            await member.SendAsync(text);
        }

        if (breaks && _kind == "double")
        {
            await member.SendAsync(text);
        }

        if (held is not null)
        {
            await member.SendAsync(held);
        }
    }
}
