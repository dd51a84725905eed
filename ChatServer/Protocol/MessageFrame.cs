namespace ChatServer.Protocol;

/// <summary>
/// A message in the frame that carries it: <c>{"type":"chat","success":true,"messages":[M]}</c>, or <c>file</c> for a file.
/// </summary>
internal static class MessageFrame
{
    public static ReadOnlySpan<byte> Closing => "]}"u8;

    /// <summary>What stands before a message. A message's own type, which MessageComposer puts first, is that of its frame.</summary>
    public static ReadOnlySpan<byte> Opening(ReadOnlySpan<byte> message) =>
        IsFile(message)
            ? "{\"type\":\"file\",\"success\":true,\"messages\":["u8
            : "{\"type\":\"chat\",\"success\":true,\"messages\":["u8;

    /// <summary>Whether a message brings a file.</summary>
    public static bool IsFile(ReadOnlySpan<byte> message) => message.StartsWith("{\"type\":\"file\""u8);
}
