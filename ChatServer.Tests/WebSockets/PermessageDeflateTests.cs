using System.Text;
using ChatServer.Protocol;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;
using static ChatServer.Tests.WebSockets.Support.ClientFrames;

namespace ChatServer.Tests.WebSockets;

public sealed class PermessageDeflateTests : IDisposable
{
    private const int MaxText = 1000;
    private const int MaxBinary = 5000;
    private const Opcode CompressedText = Opcode.Text | (Opcode)Deflated.Rsv1;
    private const Opcode CompressedBinary = Opcode.Binary | (Opcode)Deflated.Rsv1;

    private static readonly string Words = string.Concat(Enumerable.Repeat("Grüße, 世界 🌍. ", 20));

    private readonly FrameReader _reader = new(MaxText, MaxBinary, deflates: true);

    public void Dispose() => _reader.Dispose();

    [Theory]
    [InlineData("permessage-deflate")]
    [InlineData("permessage-deflate; client_max_window_bits")]
    [InlineData("permessage-deflate; client_max_window_bits=10; server_no_context_takeover;client_no_context_takeover")]
    [InlineData("permessage-deflate; server_max_window_bits=15")]
    [InlineData("permessage-deflate; client_max_window_bits=\"12\"")]
    [InlineData("x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=10, permessage-deflate")]
    public void AnOfferThatCanBeKept_IsTaken(string offer) => PermessageDeflate.IsOffered(offer).Should().BeTrue();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("permessage-bzip2")]
    [InlineData("permessage-deflate; server_max_window_bits=10")]
    [InlineData("permessage-deflate; server_max_window_bits")]
    [InlineData("permessage-deflate; client_max_window_bits=16")]
    [InlineData("permessage-deflate; client_max_window_bits=08")]
    [InlineData("permessage-deflate; client_max_window_bits; client_max_window_bits")]
    [InlineData("permessage-deflate; server_no_context_takeover=1")]
    [InlineData("permessage-deflate; unknown")]
    [InlineData("permessage-deflate;")]
    public void AnyOtherOffer_IsDeclined(string? offer) => PermessageDeflate.IsOffered(offer).Should().BeFalse();

    [Fact]
    public void CompressedMessages_CutAnywhere_AreReadAmongOthers()
    {
        var bytes = Encoding.UTF8.GetBytes(Words);
        var (text, binary) = (Deflated.Message(Words), Deflated.Message(bytes));
        var stream = Join(
            Frame(CompressedText, text), Text("plain"), Frame(CompressedBinary, binary),
            Frame(CompressedText, text.AsSpan(0, 5), final: false), Frame(Opcode.Ping, "p"u8),
            Frame(Opcode.Continuation, text.AsSpan(5, 0), final: false),
            Frame(Opcode.Continuation, text.AsSpan(5)), Frame(CompressedBinary, binary.AsSpan(0, 3), final: false),
            Frame(Opcode.Continuation, binary.AsSpan(3)),
            Frame(CompressedText, Deflated.Message("")), Text("end"));
        Seen[] meant =
        [
            Seen.Text(Words), Seen.Text(
                "plain"), Seen.Binary(bytes), Seen.Ping("p"u8), Seen.Text(Words), Seen.Binary(bytes), Seen.Text(""), Seen.Text("end"),
        ];

        for (var cut = 0; cut <= stream.Length; cut++)
        {
            using var reader = new FrameReader(MaxText, MaxBinary, deflates: true);
            Seen.Read(reader, stream, cut).Should().Equal(meant);
            reader.IsIdle.Should().BeTrue("nothing is at hand any more");
        }
    }

    [Fact]
    public void AFewBytesThatStandForMany_AreTooBig()
    {
        var bomb = Deflated.Message(new string('x', 50_000_000));
        bomb.Length.Should().BeGreaterThan(MaxText);
        var small = Deflated.Message(new string('x', 500_000));
        small.Length.Should().BeLessThan(MaxText);

        Read(Frame(CompressedText, small)).Should().Equal(Seen.Violation(CloseReason.TooBig));
        _reader.IsIdle.Should().BeTrue();
        using var other = new FrameReader(MaxText, MaxBinary, deflates: true);
        Seen.Read(other, Frame(CompressedText, bomb)).Should().Equal(Seen.Violation(CloseReason.TooBig));
        using var third = new FrameReader(MaxText, MaxBinary, deflates: true);
        Seen.Read(third, Frame(CompressedBinary, small)).Should().Equal(Seen.Violation(CloseReason.TooBig));
    }

    [Fact]
    public void Inflating_StopsSoonAfterTheLimit()
    {
        var inflated = default(PartialPayload);

        MessageInflater.Inflate(Deflated.Message(new string('x', 50_000_000)), MaxText, ref inflated);

        inflated.Length.Should().BeInRange(MaxText + 1, MaxText + 4096);
        inflated.Release();
    }

    [Fact]
    public void ExactlyTheLimit_IsRead()
    {
        var text = new string('x', MaxText);

        Read(Frame(CompressedText, Deflated.Message(text)), Frame(CompressedText, Deflated.Message(text + "x")))
            .Should().Equal(Seen.Text(text), Seen.Violation(CloseReason.TooBig));
    }

    [Fact]
    public void WhatIsNotCompressedData_IsAViolation() =>
        Read(Frame(CompressedText, [0xFF, 0xFF, 0xFF, 0xFF])).Should().Equal(Seen.Violation(CloseReason.ProtocolError));

    [Fact]
    public void WhatIsNotUtf8_IsAViolation() =>
        Read(Frame(CompressedText, Deflated.Message([(byte)'a', 0xC3, 0x28]))).Should().Equal(Seen.Violation(CloseReason.NotUtf8));

    [Fact]
    public void RandomBytes_AreAViolationOrAMessageAndNeverMore()
    {
        var random = new Random(7);
        for (var round = 0; round < 2000; round++)
        {
            var payload = new byte[random.Next(1, 200)];
            random.NextBytes(payload);
            using var reader = new FrameReader(MaxText, MaxBinary, deflates: true);

            Seen.Read(reader, Frame(CompressedText, payload)).Should().ContainSingle();
        }
    }

    [Fact]
    public void TheBit_WithoutAgreementOnControlFramesOrLater_IsAViolation()
    {
        var text = Deflated.Message("hello");
        using var plain = new FrameReader(MaxText, MaxBinary);
        Seen.Read(plain, Frame(CompressedText, text)).Should().Equal(Seen.Violation(CloseReason.ProtocolError));
        using var control = new FrameReader(MaxText, MaxBinary, deflates: true);
        Seen.Read(control, Frame(Opcode.Ping | (Opcode)Deflated.Rsv1, "p"u8)).Should().Equal(Seen.Violation(CloseReason.ProtocolError));
        using var other = new FrameReader(MaxText, MaxBinary, deflates: true);
        Seen.Read(other, Frame(Opcode.Text | (Opcode)0x20, "p"u8)).Should().Equal(Seen.Violation(CloseReason.ProtocolError));
        Read(Frame(CompressedText, text.AsSpan(0, 2), final: false), Frame((Opcode)Deflated.Rsv1, text.AsSpan(2)))
            .Should().Equal(Seen.Violation(CloseReason.ProtocolError));
    }

    [Fact]
    public void FrameDeflater_EachFrame_StandsForItself()
    {
        using var deflater = new FrameDeflater();
        foreach (var text in (string[])[Words, Words, new string('x', 100_000), Words])
        {
            var frame = deflater.Frame(Encoding.UTF8.GetBytes(text)).ToArray();

            frame[0].Should().Be(0x80 | Deflated.Rsv1 | (byte)Opcode.Text);
            frame.Length.Should().Be(FrameWriter.LengthOfFrame(frame)).And.BeLessThan(Encoding.UTF8.GetByteCount(text));
            Encoding.UTF8.GetString(Deflated.Inflate(frame.AsSpan(FrameWriter.LengthOfHeader(frame)))).Should().Be(text);
        }
    }

    private List<Seen> Read(params ReadOnlySpan<byte[]> frames) => Seen.Read(_reader, Join(frames));
}
