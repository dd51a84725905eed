using System.Text;
using ChatServer.Files;
using ChatServer.Protocol;

namespace ChatServer.Quantum;

/// <summary>
/// The body of a save (contract, part 3): form-encoded, or multipart (RFC 7578) with the file's bytes, which are read while they are sent.
/// </summary>
internal static class SaveForm
{
    /// <returns>Content of known length: servers that don't read chunked bodies, such as Django's, would find it empty.</returns>
    public static HttpContent Of(StoredMessage message, IFileStore files)
    {
        KeyValuePair<string, string?>[] fields =
        [
            new("room_id", $"{message.RoomId}"),
            new("user_id", $"{message.FromUserId}"),
            new("company_id", $"{message.CompanyId}"),
            new("identifier", message.Identifier),
        ];
        return message.File is { } file
            ? WithFile(fields, file, files)
            : new FormUrlEncodedContent([.. fields, new("message_content", message.Body)]);
    }

    private static MultipartFormDataContent WithFile(KeyValuePair<string, string?>[] fields, FileDescription file, IFileStore files)
    {
        if (!FileId.TryParse(file.Id, out var id))
        {
            throw new FileGoneException(default);
        }

        // Names go as they are, in UTF-8, as browsers send them; RFC 7578, section 4.2, rules filename* out.
        var form = new MultipartFormDataContent { HeaderEncodingSelector = static (_, _) => Encoding.UTF8 };
        foreach (var (name, value) in fields)
        {
            Add(form, new ByteArrayContent(Encoding.UTF8.GetBytes(value!)), $"name=\"{name}\"");
        }

        var content = new StreamContent(new StoredFileStream(files, id, file.Size), IFileStore.ChunkBytes);
        content.Headers.TryAddWithoutValidation("Content-Type", file.ContentType);
        Add(form, content, $"name=\"file\"; filename=\"{Escape(file.Name)}\"");
        return form;
    }

    private static void Add(MultipartFormDataContent form, HttpContent part, string disposition)
    {
        part.Headers.TryAddWithoutValidation("Content-Disposition", $"form-data; {disposition}");
        form.Add(part);
    }

    /// <summary>As browsers do it (HTML, "multipart/form-data encoding algorithm"); our names have no line breaks.</summary>
    private static string Escape(string name) => name.Replace("\"", "%22", StringComparison.Ordinal);
}
