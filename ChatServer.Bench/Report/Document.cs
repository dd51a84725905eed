using System.Globalization;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Load;

namespace ChatServer.Bench.Report;

/// <summary>docs/performance.md, all of it.</summary>
internal static class Document
{
    public static string Of(Scoreboard board, LoadOptions options, Lineup lineup, string machine) => string.Create(
        CultureInfo.InvariantCulture, $"""
        # Performance

        Made by `dotnet run -c Release --project ChatServer.Bench -- load`, which measures and writes this page. Do not edit it.
        [performance-saving.md](performance-saving.md) says how fast messages are saved in Quantum.

        ![Bars: ChatServer beside {string.Join(", ", lineup.Present.Select(peer => peer.Title))}](performance.svg)

        ## What was compared

        - **ChatServer**, {(options.Nodes == 1 ? "one node" : $"{options.Nodes} nodes")}, as in production:
          sessions and rooms checked, each message through Redis, acknowledged, and on its way to Quantum,
          {options.SavesInACall}; its stand-in {options.QuantumAnswers}. What Quantum has saved is told to all members,
          a few times a second.
        {Peers(lineup)}

        The others check nobody and acknowledge nothing, and none but nchan keeps a message, for a while; those in memory know one node
        only. They are a yardstick for what delivering alone costs, not for what ChatServer does besides. Each Redis has its server's core.
        What runs on .NET has `DOTNET_GCgen0size=0x2000000`, as ChatServer's image has it.

        ## The machine

        {machine}

        ## How it was measured

        - The generator connects over loopback from a process of its own. Bodies have {Plan.StandardBodyBytes} bytes.
        - Every receiver checks that each message of each sender comes once and in order. Where one is lost, doubled or out of order there is no figure.
        - *Fan-out* is a closed loop: one sender in each room keeps {Plan.StandardWindow} messages under way; the next may
          leave when the next member has one. A delivery is a message at one member. The sender gets no copy{Echoes(lineup)}
        - *{Workload.All.First(work => work.Kind == WorkKind.Rate).Title}* is an open loop. Time counts from the moment
          when a message was due, so a server that stands still can't hide it.
        - *Idle*: each connection is opened, authenticated (ChatServer only) and in one of 1,000 rooms, 64 logins at a time. Memory is the process's
          resident memory after all of it, less what it was before the first connection; the kernel's buffers are not in it.
        - Redis writes {(options.AppendOnly ? "to disk (appendonly yes, appendfsync everysec)" : "nothing to disk")}.
          Its processor time is shown apart.
        - Each figure is the median of {options.Runs} runs of {options.Seconds:F0} s, each after {options.WarmUpSeconds:F0} s under load.
          One more run comes first and does not count. Idle: a fresh process each time.
        - The generator used at most {100 * board.BusiestGenerator(overTls: false):F0} % of its core over plain TCP and
          {100 * board.BusiestGenerator(overTls: true):F0} % over TLS. Where that comes near to 100 %, it was the limit
          and not the server; the processor time for each delivery is what counts then.

        ## Figures

        {Table.Of(board, Workload.All, lineup.Present)}
        In brackets is ChatServer's figure divided by the other's. Above 1 is better for messages, deliveries and connects; below 1 is
        better for times, processor time and memory. A server and its Redis share the one core, so in the fan-outs both limit the messages.

        *Allocated* is all that the server's process allocated while it was measured, divided by the messages, or the deliveries, of that time: the saves in
        Quantum that went on beside them, and their share of HTTP and retries, are in it.

        *Saved in Quantum* is what reached it while the deliveries went on. Saving may lag behind under full load: the rest waits in Redis and follows;
        *left to save* is what waited at the end of a run, with what earlier runs on the same server had left.

        """);

    private static string Peers(Lineup lineup) => string.Join('\n', [
        .. lineup.Present.Select(peer => $"- **{peer.Title}**: {peer.Description}"),
        .. lineup.Absent.Select(absent => $"- Left out: **{absent.Peer.Title}**, as {absent.Reason}."),
    ]);

    private static string Echoes(Lineup lineup) =>
        string.Join(", ", lineup.Present.Where(peer => peer.Echoes).Select(peer => peer.Title)) is { Length: > 0 } names
            ? $",\n  except from {names}: it delivers one more for each message, so compare messages/s and not deliveries/s."
            : ".";
}
