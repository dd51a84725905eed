using System.Text.Json;
using ChatServer.Backplane;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;

namespace ChatServer.Requests;

/// <summary>
/// Takes the files of clients: announcement, go-ahead, bytes, and at their end the accept step of any message. One upload at a time per
/// connection. What is refused costs one error, however many of its bytes are under way.
/// </summary>
internal sealed class FileRequests(
    IBackplane backplane, IFileStore store, IUploadQuota quota, UploadBuffers buffers, UploadWatch watch, MessageRequests messages,
    FilesOptions options, TimeProvider time)
{
    /// <summary>Takes a <c>file</c> frame: answers <c>upload</c>, or <c>ack</c> if the message is known already, or an error.</summary>
    public ValueTask AnnounceAsync(Client client, in ClientFrame frame)
    {
        var identifier = frame.Identifier.Unescape();
        if (client.PendingUpload is { Upload.IsOver: false } other && other.Identifier != identifier)
        {
            Replies.Error(client.Connection, ErrorCode.FileRejected, "Another file is being sent; one at a time.", frame);
            return ValueTask.CompletedTask;
        }

        client.DropsBinary = true;
        if (!frame.Name.TryUnescape(out var name) || !frame.ContentType.TryUnescape(out var type))
        {
            Replies.Error(client.Connection, ErrorCode.BadFrame, "name or content_type holds half of a surrogate pair.", frame);
            return ValueTask.CompletedTask;
        }

        var contentType = FileTypeRule.Normalize(type);
        if (WhatIsWrong(client, frame, name, contentType) is var (code, problem))
        {
            Replies.Error(client.Connection, code, problem, frame);
            return ValueTask.CompletedTask;
        }

        var file = new FileAnnouncement(FileName.Clean(name), contentType!, frame.Size!.Value);
        return BeginAsync(client, client.MemberOf(frame.RoomId)!, identifier, frame.Identifier.Raw.ToArray(), file);
    }

    /// <summary>Takes the next bytes of a binary frame.</summary>
    /// <param name="isEnd">Whether the frame ends with them.</param>
    public ValueTask ReceiveAsync(Client client, ReadOnlySpan<byte> bytes, bool isEnd)
    {
        if (client.PendingUpload is not { } pending)
        {
            if (!bytes.IsEmpty && !client.DropsBinary)
            {
                client.DropsBinary = true;
                Replies.Error(client.Connection, ErrorCode.BadFrame, "This binary frame belongs to no file.");
            }

            return ValueTask.CompletedTask;
        }

        var receiving = pending.Upload.ReceiveAsync(bytes);
        return receiving.IsCompletedSuccessfully && !isEnd && !pending.Upload.IsOver
            ? ValueTask.CompletedTask
            : GoOnAsync(client, pending, receiving, isEnd);
    }

    /// <summary>Takes a <c>cancel</c> frame. One that comes too late, or for no upload, has no effect: its answer is under way.</summary>
    public static async ValueTask CancelAsync(Client client, string identifier)
    {
        if (client.PendingUpload is { } pending && pending.Identifier == identifier)
        {
            await pending.Upload.EndAsync(UploadFailure.Cancelled);
            Drop(client);
        }
    }

    private (string Code, string Problem)? WhatIsWrong(Client client, in ClientFrame frame, string name, string? contentType)
    {
        if (frame.Identifier.IsEmpty || frame.Size is not { } size || name.Length is 0 or > RequestOptions.MaxFileNameLength
            || contentType is null)
        {
            return (ErrorCode.BadFrame, frame.Identifier.IsEmpty ? "identifier is missing."
                : frame.Size is null ? "size is not an integer from 0 to 2^53-1."
                : contentType is null ? "content_type is no media type."
                : $"name is not a string of 1 to {RequestOptions.MaxFileNameLength} characters.");
        }

        if (client.MemberOf(frame.RoomId) is null)
        {
            return (ErrorCode.NotInRoom, "Join the room before you send to it.");
        }

        if (size > options.MaxBytes)
        {
            return (ErrorCode.TooLarge, $"A file may have {options.MaxBytes} bytes.");
        }

        return options.Types.Takes(FileName.Clean(name), contentType)
            ? null
            : (ErrorCode.FileRejected, "Files of this type are not taken here.");
    }

    private async ValueTask BeginAsync(Client client, RoomMember member, string identifier, byte[] rawIdentifier, FileAnnouncement file)
    {
        // The same identifier again: the client starts over.
        if (client.PendingUpload is { } before)
        {
            await before.Upload.EndAsync(UploadFailure.BegunAnew);
            client.PendingUpload = null;
        }

        var (connection, user, room) = (client.Connection, client.Connection.Caller!.UserId, member.Room.Key);
        long hour;
        try
        {
            if (await backplane.FindAsync(room, user, identifier) is { } first)
            {
                MessageRequests.Repeat(member, rawIdentifier, first);
                return;
            }

            if (await quota.TryTakeAsync(user, file.Size) is { } counted)
            {
                hour = counted;
            }
            else
            {
                var quotaWords = $"You may send {options.QuotaBytes} bytes of files an hour.";
                Replies.Error(connection, ErrorCode.FileRejected, quotaWords, room.RoomId, identifier);
                return;
            }
        }
        catch (RedisUnavailableException)
        {
            Replies.Error(connection, ErrorCode.Unavailable, UploadFailure.Unavailable.Message, room.RoomId, identifier);
            return;
        }

        Upload? upload = null;
        upload = new Upload(store.NewId(room), file, store, buffers, options, time, failure =>
        {
            watch.Remove(upload!);
            if (failure != UploadFailure.BegunAnew)
            {
                Replies.Error(connection, failure.Code, failure.Message, room.RoomId, identifier);
            }

            _ = GiveBackAsync(user, hour, file.Size - upload!.Received);
        });
        watch.Add(upload);
        var pending = client.PendingUpload = new(upload, room.RoomId, identifier, rawIdentifier);
        connection.SendText(JsonSerializer.SerializeToUtf8Bytes(
            new UploadFrame("upload", true, room.RoomId, identifier), ProtocolJson.Default.UploadFrame));
        if (file.Size == 0)
        {
            await FinishAsync(client, pending);
        }
    }

    private async ValueTask GoOnAsync(Client client, PendingUpload pending, ValueTask receiving, bool isEnd)
    {
        await receiving;
        var upload = pending.Upload;
        if (upload.IsOver)
        {
            Drop(client);
            return;
        }

        if (upload.TakeProgress() is { } stored)
        {
            client.Connection.SendText(JsonSerializer.SerializeToUtf8Bytes(
                new ProgressFrame("progress", pending.Identifier, stored), ProtocolJson.Default.ProgressFrame));
        }

        if (isEnd && upload.HasAll)
        {
            await FinishAsync(client, pending);
        }
    }

    /// <summary>All bytes have come: the file becomes a message, after those that were sent before its last byte.</summary>
    private async ValueTask FinishAsync(Client client, PendingUpload pending)
    {
        client.PendingUpload = null;
        client.DropsBinary = false;
        var upload = pending.Upload;
        if (client.MemberOf(pending.RoomId) is not { } member)
        {
            await upload.EndAsync(UploadFailure.LeftRoom);
            return;
        }

        if (await upload.CompleteAsync() is not { } file)
        {
            return;
        }

        watch.Remove(upload);
        var id = upload.Id;
        var timestamp = MessageComposer.Timestamp(time.GetUtcNow());
        var message = MessageComposer.File(
            member.Room.Key, client.Connection.Caller!.UserId, pending.RawIdentifier,
            new(id.ToString(), file.Name, file.ContentType, file.Size, file.Sha256, DownloadEndpoint.UrlOf(id)), timestamp);
        var draft = MessageRequests.Draft(member, pending.Identifier, message, timestamp) with { File = new(id, options.Retention) };
        await messages.SendAsync(client, member, draft, acceptance =>
        {
            // Accepted before, with its own file. If Redis can't say, this file expires by itself if it was not accepted.
            if (acceptance.IsRepeat)
            {
                _ = DeleteAsync(id);
            }
        });
    }

    private async Task DeleteAsync(FileId id)
    {
        try
        {
            await store.DeleteAsync(id);
        }
        catch (RedisUnavailableException)
        {
            // It expires by itself.
        }
    }

    private async Task GiveBackAsync(long user, long hour, long bytes)
    {
        try
        {
            await quota.GiveBackAsync(user, hour, bytes);
        }
        catch (RedisUnavailableException)
        {
            // They stay counted for the rest of the hour.
        }
    }

    private static void Drop(Client client)
    {
        client.PendingUpload = null;
        client.DropsBinary = true;
    }
}
