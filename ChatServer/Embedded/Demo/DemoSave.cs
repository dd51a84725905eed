using System.Globalization;

namespace ChatServer.Embedded.Demo;

/// <summary>What every save says, alone or among many, and what the demo Quantum answers.</summary>
internal sealed record DemoSave(long RoomId, long UserId, long CompanyId, string Identifier)
{
    private const int MaxIdentifierLength = 128;

    /// <returns>Why it is refused, whatever it brings; null if it is not.</returns>
    public DemoRefusal? WhyNot(DemoQuantum quantum, string tokenKey)
    {
        if (RoomId <= 0 || Identifier.Length is 0 or > MaxIdentifierLength)
        {
            return new(StatusCodes.Status400BadRequest, "room_id and identifier are needed.");
        }

        return quantum.MaySaveFor(tokenKey, UserId) && CompanyId == DemoCompany.Only.Id
            ? null
            : new(StatusCodes.Status403Forbidden, "User or Company id is not correct");
    }

    /// <returns>A <see cref="SaveAnswer"/> or a <see cref="DemoRefusal"/>.</returns>
    public object SaveText(string body, DemoQuantum quantum, TimeProvider time) => body.Length switch
    {
        0 => new DemoRefusal(StatusCodes.Status400BadRequest, "message_content is needed."),
        > DemoQuantum.MaxBodyLength =>
            new DemoRefusal(StatusCodes.Status200OK, $"A message has at most {DemoQuantum.MaxBodyLength:N0} characters."),
        _ => Answer(quantum.Save(RoomId, UserId, Identifier, body), quantum, time),
    };

    /// <param name="saved">Null if its user is no member of the room.</param>
    /// <returns>A <see cref="SaveAnswer"/> or a <see cref="DemoRefusal"/>.</returns>
    public static object Answer(DemoMessage? saved, DemoQuantum quantum, TimeProvider time)
    {
        if (saved is null)
        {
            return new DemoRefusal(StatusCodes.Status403Forbidden, "You are not a member of this room.");
        }

        var culture = CultureInfo.InvariantCulture;
        return new SaveAnswer(
            Success: true,
            new SavedMessage(saved.Id, saved.Timestamp, saved.Body, saved.FromUserId, Read: false),
            [.. quantum.Members(saved.RoomId)!.Select(user => user.Id)],
            saved.Timestamp.Date == time.GetUtcNow().Date ? "Today" : saved.Timestamp.ToString("MMM d, yyyy", culture),
            saved.Timestamp.ToString("hh:mm tt", culture));
    }
}

/// <summary>A refusal, with the HTTP status that it has where it is the whole answer.</summary>
internal sealed record DemoRefusal(int Status, string Message)
{
    public Refusal Json => new(Success: false, Message);
}
