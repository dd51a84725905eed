using ChatServer.Protocol;

namespace ChatServer.Files;

/// <summary>What a client says of a file before it sends it.</summary>
/// <param name="Name">A bare file name.</param>
/// <param name="ContentType">A media type without parameters.</param>
/// <param name="Size">Bytes.</param>
internal sealed record FileAnnouncement(string Name, string ContentType, long Size);

/// <summary>Why an upload ended before its file was complete: an error's code and text.</summary>
internal sealed record UploadFailure(string Code, string Message)
{
    public static readonly UploadFailure TooMuch = new(ErrorCode.FileRejected, "More bytes came than the file was said to have.");
    public static readonly UploadFailure Cancelled = new(ErrorCode.FileIncomplete, "The upload was cancelled.");
    public static readonly UploadFailure Silent = new(ErrorCode.FileIncomplete, "The file's bytes stopped coming.");
    public static readonly UploadFailure Cut = new(ErrorCode.FileIncomplete, "The connection has ended.");

    /// <summary>The same file was announced again: no error is sent for the first attempt.</summary>
    public static readonly UploadFailure BegunAnew = new(ErrorCode.FileIncomplete, "The upload has begun anew.");
    public static readonly UploadFailure LeftRoom = new(ErrorCode.NotInRoom, "You left the room before the file was complete.");
    public static readonly UploadFailure Unavailable = new(
        ErrorCode.Unavailable, "Redis is out of reach; send the file again with the same identifier.");
    public static readonly UploadFailure NoSpace = new(
        ErrorCode.Unavailable, "There is no space for files now; send it again later, with the same identifier.");
    public static readonly UploadFailure Busy = new(
        ErrorCode.Unavailable, "Too many files are being sent now; send it again, with the same identifier.");
}
