namespace ChatServer.Protocol;

/// <summary>The codes of error frames, which keep the connection, and of a refused authentication.</summary>
internal static class ErrorCode
{
    public const string BadFrame = "bad_frame";
    public const string UnknownType = "unknown_type";
    public const string IdentityMismatch = "identity_mismatch";
    public const string NotInRoom = "not_in_room";
    public const string Forbidden = "forbidden";
    public const string TooLarge = "too_large";
    public const string RateLimited = "rate_limited";

    /// <summary>An upload ended before its last byte: nothing is kept.</summary>
    public const string FileIncomplete = "file_incomplete";

    /// <summary>A file that is not taken, or that was not what its announcement said: nothing is kept.</summary>
    public const string FileRejected = "file_rejected";

    /// <summary>Redis is out of reach: nothing was accepted, the client may send again with the same identifier.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>Quantum refused the message for good.</summary>
    public const string NotSaved = "not_saved";
}
