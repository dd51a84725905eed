using System.Net.WebSockets;
using System.Text;
using ChatServer.Protocol;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;

namespace ChatServer.Tests.WebSockets;

public sealed class FrameWriterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(0, 2)]
    [InlineData(125, 2)]
    [InlineData(126, 4)]
    [InlineData(65_535, 4)]
    [InlineData(65_536, 10)]
    [InlineData(int.MaxValue, 10)]
    public void HeaderLength_IsTheShortest(int payload, int header) => FrameWriter.HeaderLength(payload).Should().Be(header);

    [Fact]
    public void Frame_OfText_IsAsTheRfcShowsIt() =>
        FrameWriter.Frame(Opcode.Text, "Hello"u8).Should().Equal(0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F);

    [Fact]
    public void Write_DestinationTooShort_Throws()
    {
        var destination = new byte[6];
        FluentActions.Invoking(() => FrameWriter.Write(destination, Opcode.Text, "Hello"u8)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => FrameWriter.WriteHeader(destination, Opcode.Text, 65_536)).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Close_WithoutCode_IsEmpty() => FrameWriter.Close(CloseReason.None).Should().Equal(0x88, 0x00);

    [Fact]
    public void Close_LongReason_IsCutAtACharacter()
    {
        byte[] frame = FrameWriter.Close(new CloseReason(4001, "x" + new string('ü', 100)));

        frame[1].Should().Be(2 + 1 + (61 * 2), "123 bytes hold one x and 61 characters of two bytes");
        Encoding.UTF8.GetString(frame.AsSpan(4)).Should().Be("x" + new string('ü', 61));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public void LengthOfFrame_IsWhatWasWritten(int payload)
    {
        byte[] frame = FrameWriter.Frame(Opcode.Binary, new byte[payload]);
        FrameWriter.LengthOfFrame([.. frame, 1, 2, 3]).Should().Be(frame.Length);
    }

    [Fact]
    public async Task Frames_OfEverySize_AreReadBySystemNetWebSockets()
    {
        using var timeout = new CancellationTokenSource(Patience);
        int[] sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];
        var wire = new MemoryStream();
        foreach (int size in sizes)
        {
            wire.Write(FrameWriter.Frame(Opcode.Binary, Payload(size)));
        }

        wire.Write(FrameWriter.Close(new CloseReason(4503, "session_ended")));
        wire.Position = 0;
        using var client = WebSocket.CreateFromStream(new TwoWay(wire, Stream.Null), new WebSocketCreationOptions { IsServer = false });
        var buffer = new byte[300_000];

        foreach (int size in sizes)
        {
            int got = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await client.ReceiveAsync(buffer.AsMemory(got), timeout.Token);
                got += result.Count;
            }
            while (!result.EndOfMessage);
            buffer.AsSpan(0, got).SequenceEqual(Payload(size)).Should().BeTrue("size {0}", size);
        }

        (await client.ReceiveAsync(buffer.AsMemory(), timeout.Token)).MessageType.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be((WebSocketCloseStatus)4503);
        client.CloseStatusDescription.Should().Be("session_ended");
    }

    [Fact]
    public async Task FramesOfSystemNetWebSockets_AreReadAsTheyWereSent()
    {
        using var timeout = new CancellationTokenSource(Patience);
        var wire = new MemoryStream();
        var expected = new List<Seen>();
        using (var client = WebSocket.CreateFromStream(new TwoWay(Stream.Null, wire), new WebSocketCreationOptions { IsServer = false }))
        {
            var random = new Random(1);
            for (int i = 0; i < 60; i++)
            {
                bool text = random.Next(2) == 0;
                int parts = random.Next(1, 4);
                var message = new List<byte>();
                for (int part = 1; part <= parts; part++)
                {
                    byte[] bytes = text
                        ? Encoding.UTF8.GetBytes(new string((char)random.Next(0x20, 0xD7FF), random.Next(200)))
                        : Payload(random.Next(70_000));
                    message.AddRange(bytes);
                    await client.SendAsync(
                        bytes, text ? WebSocketMessageType.Text : WebSocketMessageType.Binary, part == parts, timeout.Token);
                }

                expected.Add(text ? Seen.Text(Encoding.UTF8.GetString([.. message])) : Seen.Binary([.. message]));
            }

            await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "bye", timeout.Token);
            expected.Add(Seen.Close(new CloseReason(1000, "bye")));
        }

        using var reader = new FrameReader(10_000, 100_000);

        var seen = Seen.Joined(
            Seen.Read(reader, wire.ToArray(), [.. Enumerable.Range(1, (int)(wire.Length / 1000)).Select(i => i * 1000)]));

        seen.SequenceEqual(expected).Should().BeTrue();
    }

    private static byte[] Payload(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }
}
