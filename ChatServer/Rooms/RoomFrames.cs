using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Wire;

namespace ChatServer.Rooms;

/// <summary>The frames that a room sends to one connection, ready for the wire.</summary>
internal static class RoomFrames
{
    public static byte[] Joined(long roomId, long seq, string epoch, bool recovered) =>
        FrameWriter.Frame(Opcode.Text, JsonSerializer.SerializeToUtf8Bytes(
            new JoinedFrame("joined", true, roomId, seq, epoch, recovered, ImmutableDictionary<string, long>.Empty), ProtocolJson.Default.JoinedFrame));

    public static byte[] Left(long roomId) => Left(roomId, null);

    /// <summary>For somebody who is no longer a member.</summary>
    public static byte[] Removed(long roomId) => Left(roomId, "removed");

    /// <summary>The sender's receipt, from the message itself: whichever copy of it comes first will do.</summary>
    public static byte[] Ack(RelayedMessage message)
    {
        MessageComposer.ReadReceipt(message.Json.Span, out var roomId, out var identifier, out var timestamp);
        return Ack(roomId, identifier, message.Seq, timestamp);
    }

    public static byte[] Ack(long roomId, ReadOnlySpan<byte> rawIdentifier, long seq, ReadOnlySpan<byte> timestamp) =>
        FrameWriter.Frame(Opcode.Text, MessageComposer.Ack(roomId, rawIdentifier, seq, timestamp));

    private static byte[] Left(long roomId, string? code) =>
        FrameWriter.Frame(Opcode.Text, JsonSerializer.SerializeToUtf8Bytes(new LeftFrame("left", true, roomId, code), ProtocolJson.Default.LeftFrame));

    public static void WriteMessage(IBufferWriter<byte> frames, ReadOnlySpan<byte> message)
    {
        var open = MessageFrame.Opening(message);
        var payload = open.Length + message.Length + MessageFrame.Closing.Length;
        var header = FrameWriter.HeaderLength(payload);
        FrameWriter.WriteHeader(frames.GetSpan(header), Opcode.Text, payload);
        frames.Advance(header);
        frames.Write(open);
        frames.Write(message);
        frames.Write(MessageFrame.Closing);
    }
}
