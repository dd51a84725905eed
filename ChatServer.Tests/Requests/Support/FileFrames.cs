using System.Text.Json;

namespace ChatServer.Tests.Requests.Support;

/// <summary>A client's frames about a file.</summary>
internal static class FileFrames
{
    public static string Announce(
        long room, string identifier, long size, string name = "plan.pdf", string contentType = "application/pdf") =>
        JsonSerializer.Serialize(new { type = "file", room_id = room, identifier, name, content_type = contentType, size });

    public static string Cancel(string identifier) => $$"""{"type":"cancel","identifier":"{{identifier}}"}""";
}
