using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files.Support;

/// <summary>Sends files as a client does that knows nothing but the contract.</summary>
internal static class SentFile
{
    public static byte[] Bytes(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static Task AnnounceAsync(
        this ChatPeer peer, long room, string identifier, long size, string name = "plan.pdf", string contentType = "application/pdf") =>
        peer.SendAsync(new { type = "file", room_id = room, identifier, name, content_type = contentType, size });

    public static async Task BeginAsync(
        this ChatPeer peer, long room, string identifier, long size, string name = "plan.pdf", string contentType = "application/pdf")
    {
        await peer.AnnounceAsync(room, identifier, size, name, contentType);
        var go = await peer.NextAsync("upload");
        go.Flag("success").Should().BeTrue();
        go.Text("identifier").Should().Be(identifier);
    }

    /// <summary>Sends bytes in frames of some size.</summary>
    public static async Task SendAsync(this ChatPeer peer, byte[] bytes, int frame)
    {
        for (var sent = 0; sent < bytes.Length; sent += frame)
        {
            await peer.SendBytesAsync(bytes[sent..Math.Min(bytes.Length, sent + frame)], WebSocketMessageType.Binary);
        }
    }

    /// <summary>Sends a whole file and gives its ack.</summary>
    public static async Task<JsonObject> UploadAsync(
        this ChatPeer peer, long room, string identifier, byte[] bytes, int frame = 64 * 1024, string name = "plan.pdf",
        string contentType = "application/pdf")
    {
        await peer.BeginAsync(room, identifier, bytes.Length, name, contentType);
        await peer.SendAsync(bytes, frame);
        return await peer.FindAsync("ack");
    }

    /// <summary>The file that the next <c>file</c> frame brings.</summary>
    public static async Task<JsonObject> FileAsync(this ChatPeer peer) =>
        (await peer.FindAsync("file")).Messages().Single()["file"]!.AsObject();

    public static Uri UrlOf(this TestNode node, JsonObject file) => new(node.Http, file.Text("url"));
}
