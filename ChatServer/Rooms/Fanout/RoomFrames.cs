using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.WebSockets;

namespace ChatServer.Rooms.Fanout;

/// <summary>The frames that a room sends to one connection, ready for the wire.</summary>
internal static class RoomFrames
{
    public static byte[] Joined(long roomId, long seq, string epoch, bool recovered) =>
        FrameWriter.Frame(Opcode.Text, JsonSerializer.SerializeToUtf8Bytes(
            new JoinedFrame("joined", true, roomId, seq, epoch, recovered, ImmutableDictionary<string, long>.Empty),
            ProtocolJson.Default.JoinedFrame));

    public static byte[] Left(long roomId) => Left(roomId, null);

    /// <summary>For somebody who is no longer a member.</summary>
    public static byte[] Removed(long roomId) => Left(roomId, "removed");

    public static byte[] Ack(in Ack ack)
    {
        var frame = new byte[AckLength(ack)];
        WriteAck(frame, ack);
        return frame;
    }

    public static int AckLength(in Ack ack) => FrameWriter.HeaderLength(ack.Length) + ack.Length;

    public static void WriteAck(Span<byte> destination, in Ack ack) =>
        ack.Write(destination[FrameWriter.WriteHeader(destination, Opcode.Text, ack.Length)..]);

    private static byte[] Left(long roomId, string? code) =>
        FrameWriter.Frame(
            Opcode.Text, JsonSerializer.SerializeToUtf8Bytes(new LeftFrame("left", true, roomId, code), ProtocolJson.Default.LeftFrame));

    /// <summary>Bytes of the frame that carries a message.</summary>
    public static int MessageLength(ReadOnlySpan<byte> message)
    {
        var payload = Payload(message);
        return FrameWriter.HeaderLength(payload) + payload;
    }

    /// <param name="destination">Of <see cref="MessageLength"/> bytes.</param>
    /// <param name="message">The message's JSON.</param>
    public static void WriteMessage(Span<byte> destination, ReadOnlySpan<byte> message)
    {
        var open = MessageFrame.Opening(message);
        destination = destination[FrameWriter.WriteHeader(destination, Opcode.Text, Payload(message))..];
        open.CopyTo(destination);
        message.CopyTo(destination[open.Length..]);
        MessageFrame.Closing.CopyTo(destination[(open.Length + message.Length)..]);
    }

    public static void WriteMessage(IBufferWriter<byte> frames, ReadOnlySpan<byte> message)
    {
        var length = MessageLength(message);
        WriteMessage(frames.GetSpan(length)[..length], message);
        frames.Advance(length);
    }

    private static int Payload(ReadOnlySpan<byte> message) =>
        MessageFrame.Opening(message).Length + message.Length + MessageFrame.Closing.Length;
}
