using ChatServer.Protocol;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;
using static ChatServer.Tests.WebSockets.Support.ClientFrames;

namespace ChatServer.Tests.WebSockets;

/// <summary>It must make no difference where the network cuts the stream.</summary>
public sealed class FrameReaderSplitTests
{
    private static readonly byte[] Blob = [.. Enumerable.Range(0, 300).Select(i => (byte)(i * 7))];

    private static readonly byte[] Script = Join(
        Text("first"),
        Text("Grüße ", final: false),
        Frame(Opcode.Ping, [1, 2, 3]),
        Frame(Opcode.Continuation, [0xE4, 0xB8], final: false),
        Frame(Opcode.Pong, []),
        Frame(Opcode.Continuation, [0x96], final: false),
        Frame(Opcode.Continuation, []),
        Frame(Opcode.Text, []),
        Frame(Opcode.Binary, Blob, mask: 0x01020304),
        Frame(Opcode.Binary, Blob.AsSpan(0, 5), final: false),
        Frame(Opcode.Ping, Blob.AsSpan(0, 125)),
        Frame(Opcode.Continuation, Blob.AsSpan(5, 130), final: false),
        Frame(Opcode.Continuation, []),
        Text(new string('y', 200)),
        Close(4123, "over"u8.ToArray()));

    private static readonly Seen[] Expected =
    [
        Seen.Text("first"), Seen.Ping([1, 2, 3]), Seen.Pong([]), Seen.Text("Grüße 世"), Seen.Text(""),
        Seen.Binary(Blob), Seen.Binary(Blob.AsSpan(0, 5), end: false), Seen.Ping(Blob.AsSpan(0, 125)), Seen.Binary(Blob.AsSpan(5, 130)),
        Seen.Text(new string('y', 200)), Seen.Close(new CloseReason(4123, "over")),
    ];

    [Fact]
    public void Read_CutAtEachPlace_GivesTheSameEvents()
    {
        for (int cut = 0; cut <= Script.Length; cut++)
        {
            ExpectScript([cut], $"cut at {cut}");
        }
    }

    [Fact]
    public void Read_ByteByByte_GivesTheSameEvents() => ExpectScript([.. Enumerable.Range(1, Script.Length - 1)], "byte by byte");

    [Fact]
    public void Read_CutAtRandom_GivesTheSameEvents()
    {
        for (int seed = 0; seed < 1000; seed++)
        {
            ExpectScript(Cuts(new Random(seed), Script.Length), $"seed {seed}");
        }
    }

    /// <summary>
    /// Valid streams with a few wrong bytes, and plain noise: whole and in pieces they must come to the same end, and never throw.
    /// </summary>
    [Fact]
    public void Read_Fuzzed_IsTheSameWholeAndInPieces()
    {
        var kinds = new HashSet<(FrameEventKind, ushort)>();
        for (int seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var stream = Mutated(random);
            using var whole = new FrameReader(maxTextBytes: 250, maxBinaryBytes: 310);
            using var pieces = new FrameReader(maxTextBytes: 250, maxBinaryBytes: 310);

            var seen = Seen.Joined(Seen.Read(whole, stream));
            var seenInPieces = Seen.Joined(Seen.Read(pieces, stream, Cuts(random, stream.Length)));

            if (!seen.SequenceEqual(seenInPieces))
            {
                seenInPieces.Should().Equal(seen, "seed {0}", seed);
            }

            int last = seen.FindIndex(one => one.Kind is FrameEventKind.Violation or FrameEventKind.Close);
            (last < 0 || last == seen.Count - 1).Should().BeTrue("nothing follows the end, seed {0}", seed);
            kinds.UnionWith(seen.Select(one => (one.Kind, one.Reason.Code)));
        }

        kinds.Should().Contain(
        [
            (FrameEventKind.Text, 0), (FrameEventKind.Binary, 0), (FrameEventKind.Ping, 0), (FrameEventKind.Pong, 0),
                (FrameEventKind.Close, 4123),
            (FrameEventKind.Violation, 1002), (FrameEventKind.Violation, 1007), (FrameEventKind.Violation, 1009),
        ], "the fuzz has to reach every kind of end");
    }

    private static void ExpectScript(int[] cuts, string why)
    {
        using var reader = new FrameReader(1000, 1000);

        var seen = Seen.Joined(Seen.Read(reader, Script, cuts));

        if (!seen.SequenceEqual(Expected))
        {
            seen.Should().Equal(Expected, why);
        }

        reader.IsIdle.Should().BeTrue();
    }

    private static byte[] Mutated(Random random)
    {
        if (random.Next(4) == 0)
        {
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            return noise;
        }

        var stream = Script.ToArray();
        for (int i = random.Next(4); i > 0; i--)
        {
            stream[random.Next(stream.Length)] ^= (byte)(1 << random.Next(8));
        }

        return random.Next(3) == 0 ? stream[random.Next(stream.Length)..] : stream;
    }

    private static int[] Cuts(Random random, int length)
    {
        var cuts = new int[random.Next(1, 12)];
        for (int i = 0; i < cuts.Length; i++)
        {
            cuts[i] = random.Next(length + 1);
        }

        Array.Sort(cuts);
        return cuts;
    }
}
