using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.Wire;

namespace ChatServer.Rooms;

/// <summary>The frames that a room sends to one connection, ready for the wire.</summary>
internal static class RoomFrames
{
    public static byte[] Joined(long roomId, long seq, string epoch, bool recovered) =>
        FrameWriter.Frame(Opcode.Text, JsonSerializer.SerializeToUtf8Bytes(
            new JoinedFrame("joined", true, roomId, seq, epoch, recovered, ImmutableDictionary<string, long>.Empty), ProtocolJson.Default.JoinedFrame));

    public static byte[] Left(long roomId) =>
        FrameWriter.Frame(Opcode.Text, JsonSerializer.SerializeToUtf8Bytes(new LeftFrame("left", true, roomId, null), ProtocolJson.Default.LeftFrame));

    public static byte[] Ack(long roomId, ReadOnlySpan<byte> rawIdentifier, long seq, string timestamp) =>
        FrameWriter.Frame(Opcode.Text, MessageComposer.Ack(roomId, rawIdentifier, seq, timestamp));

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
