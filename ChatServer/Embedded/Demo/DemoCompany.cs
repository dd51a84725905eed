namespace ChatServer.Embedded.Demo;

internal sealed record DemoCompany(long Id, string Name)
{
    public static readonly DemoCompany Only = new(1, "Analytical Engines");
}

internal sealed record DemoUser(long Id, string Name);

/// <param name="Id">A positive integer.</param>
/// <param name="Name">As the page shows it.</param>
/// <param name="Private">Whether only the users who were there from the start may enter; anybody may enter the others.</param>
internal sealed record DemoRoom(long Id, string Name, bool Private);

/// <summary>A saved message, as the page loads it: Quantum knows no seq.</summary>
internal sealed record DemoMessage(
    long Id, long RoomId, string Identifier, long FromUserId, string Body, DateTimeOffset Timestamp, DemoFile? File);

/// <summary>A saved file; <paramref name="Url"/> is good as long as the demo holds it.</summary>
internal sealed record DemoFile(string Name, string ContentType, long Size, string Url);
