using System.Text;
using ChatServer.Protocol;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;
using static ChatServer.Tests.WebSockets.Support.ClientFrames;

namespace ChatServer.Tests.WebSockets;

public sealed class FrameReaderTests : IDisposable
{
    private const int MaxText = 1000;
    private const int MaxBinary = 70_000;
    private readonly FrameReader _reader = new(MaxText, MaxBinary);

    public void Dispose() => _reader.Dispose();

    private List<Seen> Read(params ReadOnlySpan<byte[]> frames) => Seen.Read(_reader, Join(frames));

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("Grüße, 世界 🌍")]
    public void Read_TextFrame_GivesMessage(string text) => Read(Text(text)).Should().Equal(Seen.Text(text));

    [Theory]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(999)]
    public void Read_LengthForms_AreUnderstood(int length) =>
        Read(Text(new string('x', length))).Should().Equal(Seen.Text(new string('x', length)));

    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(70_000)]
    public void Read_LargeBinary_GivesBytes(int length)
    {
        var bytes = new byte[length];
        Random.Shared.NextBytes(bytes);

        Read(Frame(Opcode.Binary, bytes)).Should().Equal(Seen.Binary(bytes));
    }

    [Fact]
    public void Read_WholeTextFrame_LiesInTheInputItself()
    {
        byte[] memory = Text("in place");
        var input = memory.AsSpan();

        var happened = _reader.Read(ref input);

        happened.Payload.Overlaps(memory, out int offset).Should().BeTrue();
        offset.Should().Be(-6);
        _reader.IsIdle.Should().BeTrue();
    }

    [Fact]
    public void Read_FragmentedTextWithControlBetween_GivesControlThenMessage() =>
        Read(Text(
            "one ", final: false), Frame(Opcode.Ping, [1, 2]), Frame(Opcode.Continuation, "two "u8, final: false), Frame(Opcode.Pong, []),
            Frame(Opcode.Continuation, "three"u8), Text("next"))
            .Should().Equal(Seen.Ping([1, 2]), Seen.Pong([]), Seen.Text("one two three"), Seen.Text("next"));

    [Fact]
    public void Read_FragmentedBinary_StreamsChunksAndEndsWithTheLast() =>
        Read(Frame(Opcode.Binary, [1, 2], final: false), Frame(Opcode.Ping, []), Frame(Opcode.Continuation, [], final: false),
            Frame(Opcode.Continuation, [3], final: false), Frame(Opcode.Continuation, []))
            .Should().Equal(Seen.Binary([1, 2], end: false), Seen.Ping([]), Seen.Binary([3], end: false), Seen.Binary([]));

    [Fact]
    public void Read_BinaryFrameInPieces_StreamsEachPieceWithoutKeepingIt()
    {
        var frame = Frame(Opcode.Binary, [1, 2, 3, 4, 5]);

        Seen.Read(_reader, frame.AsSpan(0, 8)).Should().Equal(Seen.Binary([1, 2], end: false));
        _reader.IsIdle.Should().BeTrue();
        Seen.Read(_reader, frame.AsSpan(8)).Should().Equal(Seen.Binary([3, 4, 5]));
    }

    [Fact]
    public void Read_EmptyBinaryFrame_EndsItsMessage() => Read(Frame(Opcode.Binary, [])).Should().Equal(Seen.Binary([]));

    [Fact]
    public void Read_ControlOf125Bytes_IsTaken()
    {
        var data = new byte[125];
        Read(Frame(Opcode.Ping, data)).Should().Equal(Seen.Ping(data));
    }

    [Fact]
    public void Read_Unmasked_IsProtocolError() => ExpectProtocolError(Header(0x81, 2, mask: null), "hi"u8.ToArray());

    [Theory]
    [InlineData(0xC1)]
    [InlineData(0xA1)]
    [InlineData(0x91)]
    [InlineData(0xC9)]
    public void Read_ReservedBit_IsProtocolError(byte first) => ExpectProtocolError(Header(first, 0));

    [Theory]
    [InlineData(0x83)]
    [InlineData(0x87)]
    [InlineData(0x8B)]
    [InlineData(0x8F)]
    [InlineData(0x04)]
    public void Read_ReservedOpcode_IsProtocolError(byte first) => ExpectProtocolError(Header(first, 0));

    [Theory]
    [InlineData(0x88)]
    [InlineData(0x89)]
    [InlineData(0x8A)]
    public void Read_LongControl_IsProtocolError(byte first) => ExpectProtocolError(Header(first, 126), new byte[126]);

    [Theory]
    [InlineData(0x08)]
    [InlineData(0x09)]
    [InlineData(0x0A)]
    public void Read_FragmentedControl_IsProtocolError(byte first) => ExpectProtocolError(Header(first, 0));

    [Fact]
    public void Read_ContinuationOfNothing_IsProtocolError() => ExpectProtocolError(Frame(Opcode.Continuation, [1]));

    [Fact]
    public void Read_ContinuationAfterWholeMessage_IsProtocolError() =>
        Read(Text("a"), Frame(Opcode.Continuation, [1])).Should().Equal(Seen.Text("a"), Seen.Violation(CloseReason.ProtocolError));

    [Theory]
    [InlineData(Opcode.Text)]
    [InlineData(Opcode.Binary)]
    internal void Read_NewMessageInsideFragmentedOne_IsProtocolError(Opcode opcode) =>
        ExpectProtocolError(Text("a", final: false), Frame(opcode, [1]));

    [Theory]
    [InlineData(0, 2)]
    [InlineData(125, 2)]
    [InlineData(125, 8)]
    [InlineData(65_535, 8)]
    public void Read_LengthNotShortest_IsProtocolError(ulong length, int lengthBytes) =>
        ExpectProtocolError(Header(0x82, length, lengthBytes));

    [Theory]
    [InlineData(0x8000_0000_0000_0000)]
    [InlineData(0xFFFF_FFFF_FFFF_FFFF)]
    public void Read_LengthWithTopBit_IsProtocolError(ulong length) => ExpectProtocolError(Header(0x82, length));

    [Theory]
    [InlineData(0x81, MaxText + 1)]
    [InlineData(0x82, MaxBinary + 1)]
    [InlineData(0x82, 0x7FFF_FFFF_FFFF_FFFF)]
    public void Read_HeaderSaysTooMuch_IsTooBigBeforeAnyPayload(byte first, ulong length) =>
        Read(Header(first, length)).Should().Equal(Seen.Violation(CloseReason.TooBig));

    [Fact]
    public void Read_TextOfExactlyTheLimitInFragments_IsTaken()
    {
        string half = new('x', MaxText / 2);
        Read(Text(half, final: false), Frame(Opcode.Continuation, Encoding.UTF8.GetBytes(half))).Should().Equal(Seen.Text(half + half));
    }

    [Fact]
    public void Read_FragmentsTogetherOverTheLimit_AreTooBig() =>
        Read(Text(new string('x', MaxText), final: false), Header(0x80, 1)).Should().Equal(Seen.Violation(CloseReason.TooBig));

    [Fact]
    public void Read_ManyBinaryFragments_AreEachBoundAlone()
    {
        var part = new byte[MaxBinary];
        var seen = Read(
            Frame(Opcode.Binary, part, final: false), Frame(Opcode.Continuation, part, final: false), Frame(Opcode.Continuation, part));
        Seen.Joined(seen).Should().Equal(Seen.Binary(new byte[3 * MaxBinary]));
    }

    [Fact]
    public void MaxTextBytes_Raised_CountsFromTheNextHeader()
    {
        _reader.MaxTextBytes = 3;
        Read(Text("abc")).Should().Equal(Seen.Text("abc"));
        _reader.MaxTextBytes = 5;
        Read(Text("abcde")).Should().Equal(Seen.Text("abcde"));
        Read(Text("abcdef")).Should().Equal(Seen.Violation(CloseReason.TooBig));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(1001)]
    [InlineData(1003)]
    [InlineData(1007)]
    [InlineData(1014)]
    [InlineData(3000)]
    [InlineData(4999)]
    public void Read_CloseWithCode_GivesCodeAndReason(ushort code) =>
        Read(Close(code, "grüß"u8.ToArray())).Should().Equal(Seen.Close(new CloseReason(code, "grüß")));

    [Fact]
    public void Read_EmptyClose_GivesNone() => Read(Frame(Opcode.Close, [])).Should().Equal(Seen.Close(CloseReason.None));

    [Fact]
    public void Read_CloseOfOneByte_IsProtocolError() => ExpectProtocolError(Frame(Opcode.Close, [3]));

    [Theory]
    [InlineData(0)]
    [InlineData(999)]
    [InlineData(1004)]
    [InlineData(1005)]
    [InlineData(1006)]
    [InlineData(1015)]
    [InlineData(1016)]
    [InlineData(2999)]
    [InlineData(5000)]
    [InlineData(65_535)]
    public void Read_CloseCodeThatMustNotBeSent_IsProtocolError(int code) => ExpectProtocolError(Close(code));

    [Fact]
    public void Read_CloseReasonNotUtf8_IsNotUtf8() => Read(Close(1000, 0xC3, 0x28)).Should().Equal(Seen.Violation(CloseReason.NotUtf8));

    [Theory]
    [InlineData(new byte[] { 0xC3, 0x28 })]
    [InlineData(new byte[] { 0xC0, 0xAF })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xF4, 0x90, 0x80, 0x80 })]
    [InlineData(new byte[] { 0x61, 0xE2, 0x82 })]
    public void Read_TextNotUtf8_IsNotUtf8(byte[] text) =>
        Read(Frame(Opcode.Text, text)).Should().Equal(Seen.Violation(CloseReason.NotUtf8));

    [Fact]
    public void Read_CharacterAcrossFragments_IsValid() =>
        Read(Frame(Opcode.Text, [0xE2, 0x82], final: false), Frame(Opcode.Ping, []), Frame(Opcode.Continuation, [0xAC]))
            .Should().Equal(Seen.Ping([]), Seen.Text("€"));

    [Fact]
    public void Read_CharacterCutOffByTheLastFragment_IsNotUtf8() =>
        Read(Frame(Opcode.Text, [0xE2, 0x82], final: false), Frame(Opcode.Continuation, []))
            .Should().Equal(Seen.Violation(CloseReason.NotUtf8));

    [Fact]
    public void Read_AfterClose_DropsEverything() =>
        Read(Close(1000), Text("late"), new byte[100]).Should().Equal(Seen.Close(CloseReason.Normal));

    [Fact]
    public void Read_AfterViolation_DropsEverythingAndHoldsNothing()
    {
        Read(Text("a", final: false), Frame(Opcode.Continuation, [1], final: false), Header(0xFF, 0), Text("late"))
            .Should().Equal(Seen.Violation(CloseReason.ProtocolError));
        _reader.IsIdle.Should().BeTrue();
        Read(Text("later")).Should().BeEmpty();
    }

    [Fact]
    public void IsIdle_OnlyWhileAFrameIsPartial_IsFalse()
    {
        var frame = Text("hello");
        Seen.Read(_reader, frame.AsSpan(0, 5)).Should().BeEmpty();
        _reader.IsIdle.Should().BeTrue("a header in pieces needs no rented buffer");
        Seen.Read(_reader, frame.AsSpan(5, 3)).Should().BeEmpty();
        _reader.IsIdle.Should().BeFalse();
        Seen.Read(_reader, frame.AsSpan(8)).Should().Equal(Seen.Text("hello"));
        _reader.IsIdle.Should().BeTrue();
    }

    [Fact]
    public void IsIdle_PingInPiecesInsideFragmentedText_KeepsOnlyTheText()
    {
        var ping = Frame(Opcode.Ping, [7, 8, 9]);
        Read(Text("a", final: false)).Should().BeEmpty();
        Seen.Read(_reader, ping, 1, 7, 8).Should().Equal(Seen.Ping([7, 8, 9]));
        _reader.IsIdle.Should().BeFalse();
        Read(Frame(Opcode.Continuation, "b"u8)).Should().Equal(Seen.Text("ab"));
        _reader.IsIdle.Should().BeTrue();
    }

    [Fact]
    public void Read_WholeFrames_AllocatesNothing()
    {
        byte[] text = Join(Text(new string('x', 256)), Frame(Opcode.Ping, [1]), Frame(Opcode.Binary, new byte[300]));
        var memory = new byte[text.Length];
        int events = 0;
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 5000; i++)
            {
                text.CopyTo(memory, 0);
                var input = memory.AsSpan();
                while (_reader.Read(ref input).Kind != FrameEventKind.None)
                {
                    events++;
                }
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        least.Should().Be(0, "a collection asked for by another test may count a little, but not in every round");
        events.Should().Be(75_000);
    }

    private void ExpectProtocolError(params ReadOnlySpan<byte[]> frames) =>
        Read(frames).Should().Equal(Seen.Violation(CloseReason.ProtocolError));
}
