using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Fuzz.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.Fuzz.Targets;

/// <summary>Replies on the connection for subscriptions: the cut makes no difference, and what is foreign is InvalidDataException.</summary>
internal sealed class RedisReplies : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        "*3\r\n$7\r\nmessage\r\n$5\r\nuser_\r\n$11\r\n{\"type\":\"x\"}\r\n+OK\r\n",
        "*3\r\n$9\r\nsubscribe\r\n$8\r\nchat:x:y\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n",
        "-NOAUTH Authentication required.\r\n", "+PONG\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$0\r\n\r\n");

    public override bool ReturnsBuffers => true;

    public override void Take(byte[] input, Random random)
    {
        try
        {
            for (var rest = input.AsSpan(); RespReply.TryRead(rest, out var reply, out var used); rest = rest[used..])
            {
                Assert.True(used > 0 && used <= rest.Length, "it takes a part of the input");
                Assert.True(
                    reply.Text.Length + reply.Channel.Length + reply.Payload.Length < used, "it holds no more than what it took");
                Assert.False(RespReply.TryRead(rest[..random.Next(used)], out _, out _), "a part of it is incomplete");
            }
        }
        catch (InvalidDataException)
        {
            // As documented.
        }
    }
}

/// <summary>What comes over a room's channel.</summary>
internal sealed class RoomPayloads : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        [.. "m 5 e1\n"u8, .. LogRecords.Record("a")], [.. "m 7 e2\n"u8, .. LogRecords.Record("b"), .. LogRecords.Record("ü")],
        RoomPayload.Notice(new(7, 0xABCDEF, "{\"type\":\"info_chat\"}"u8.ToArray())),
        RoomPayload.Notice(new(0, 0, "{}"u8.ToArray()) { MayWait = true }),
    ];

    public override bool ReturnsBuffers => true;

    public override void Take(byte[] input, Random random)
    {
        var listener = new Listener();
        var reader = new RoomPayloadReader(listener);
        var isOurs = reader.Read(input);
        Assert.True(!isOurs || listener.Heard > 0, "what is ours brings something");
    }

    private sealed class Listener : IRoomListener
    {
        private long? _last;

        public int Heard { get; private set; }

        public bool Lacks(long seq, string epoch) => true;

        public void OnMessage(RelayedMessage message)
        {
            Assert.True(_last is not { } last || message.Seq == unchecked(last + 1), "seqs follow on each other");
            Assert.True(message.Json.Span.StartsWith("{\"type\":\""u8) && message.Json.Span.EndsWith("}"u8), "it looks like a message");
            _last = message.Seq;
            Heard++;
        }

        public void OnNotice(RoomNotice notice) => Heard++;
    }
}

/// <summary>Entries of a room's log, spoiled ones among them.</summary>
internal sealed class LogRecords : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } =
        [Record("a"), [.. Record("b"), .. Record("\\u00fc"), .. Record("c")], .. Texts.Utf8("{\"type\":\"chat\",\"seq\":1}")];

    public override bool ReturnsBuffers => true;

    public static byte[] Record(string body) =>
        Drafts.Of(new(3, 12), 7, "id", body, origin: 0xAB).Json.Record(0xAB).ToArray();

    public override void Take(byte[] input, Random random)
    {
        var entries = new RedisResult[random.Next(1, 4)];
        var (at, id) = (0, 0L);
        for (var i = 0; i < entries.Length; i++)
        {
            var end = i == entries.Length - 1 ? input.Length : random.Next(at, input.Length + 1);
            entries[i] = Entry(id += Math.Max(1, MessageRecord.Count(input.AsSpan(at..end))), input[at..end], random.Next(5) == 0);
            at = end;
        }

        var after = random.Next(4);
        var head = id - random.Next(2);
        var messages = LogEntries.Read(entries, after, "e1", head, out _);
        for (var i = 0; i < messages.Count; i++)
        {
            Assert.True(messages[i].Seq <= head, "none is beyond the head");
            Assert.True(i == 0 || messages[i].Seq == messages[i - 1].Seq + 1, "they follow on each other");
        }
    }

    private static RedisResult Entry(long id, byte[] bytes, bool isFormer) => RedisResult.Create(
    [
        RedisResult.Create($"{id}-0", ResultType.BulkString),
        RedisResult.Create(isFormer ? ["m", bytes, "o", "00000000000000ab"] : ["b", bytes]),
    ]);
}

/// <summary>What the accept script answers, message by message; what it can't have answered is a FormatException.</summary>
internal sealed class AcceptLines : FuzzTarget, IAcceptListener
{
    private static readonly MessageDraft Draft = Drafts.Of(new(3, 12), 7, "id");

    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        "= e1\n5\n6\n= e2\n7 e1 2026-01-01T10:00:00.000Z repeat\n", "= e1\n! OOM command not allowed\n8", "= e1\n1 e0 t x\n! no\n2\n");

    public override void Take(byte[] input, Random random)
    {
        try
        {
            var answers = new AcceptAnswers(input);
            for (var left = random.Next(1, 5); left > 0; left--)
            {
                answers.Tell(new(Draft, default!, this));
            }
        }
        catch (FormatException)
        {
            // As documented.
        }
    }

    public void OnAccepted(MessageDraft draft, Acceptance acceptance) => Assert.NotNull(acceptance.Epoch);

    public void OnUnavailable(MessageDraft draft, RedisUnavailableException why) => Assert.NotNull(why.Message);
}
