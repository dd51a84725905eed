using System.Globalization;
using System.Runtime.InteropServices;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Backplane;

/// <summary>One call of accept.lua: its keys and arguments. <see cref="AcceptAnswers"/> reads what it answers.</summary>
/// <param name="batch">Its messages; those of one room stand next to each other.</param>
/// <param name="limits">How much of a room is kept.</param>
internal readonly struct AcceptScript(List<PostedMessage> batch, LogLimits limits)
{
    private const int KeysOfRoom = 3;
    private const int ValuesBeforeRooms = 4;
    private const int ValuesOfRoom = 5;
    private const int ValuesOfMessage = 3;

    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    /// <returns>Lines for each room and each message, as the script says.</returns>
    public async Task<byte[]> RunAsync(GenerationScripts scripts)
    {
        var (keys, values) = Arguments();
        return (byte[])(await scripts.AcceptAsync(keys, values))!;
    }

    private (RedisKey[] Keys, RedisValue[] Values) Arguments()
    {
        var (rooms, files) = Count();
        var keys = new RedisKey[(KeysOfRoom * rooms) + batch.Count + files];
        var values = new RedisValue[ValuesBeforeRooms + (ValuesOfRoom * rooms) + (ValuesOfMessage * batch.Count)];
        values[0] = Epoch.New();
        values[1] = (long)limits.IdentifierAge.TotalSeconds;
        values[2] = "PUBLISH";
        values[3] = batch[0].Names.OutboxFilled;
        var (key, value, file) = (0, ValuesBeforeRooms, keys.Length - files);
        for (var rest = CollectionsMarshal.AsSpan(batch); rest.Length > 0;)
        {
            var (draft, names, _) = rest[0];
            var count = LengthOfRun(rest);
            keys[key++] = names.Room;
            keys[key++] = names.Log;
            keys[key++] = names.Unsaved;
            values[value++] = count;
            values[value++] = names.Channel;
            values[value++] = draft.Seen.Epoch ?? "";
            values[value++] = draft.Seen.Seq;
            values[value++] = names.Member;
            foreach (ref readonly var posted in rest[..count])
            {
                draft = posted.Draft;
                keys[key++] = names.Identifier(draft.UserId, draft.Identifier);
                values[value++] = draft.Json.Record(draft.Origin);
                values[value++] = draft.Timestamp;
                values[value++] = draft.File is { } held ? AddFile(keys, ref file, held) : "";
            }

            rest = rest[count..];
        }

        return (keys, values);
    }

    private (int Rooms, int Files) Count()
    {
        var (rooms, files) = (0, 0);
        for (var rest = CollectionsMarshal.AsSpan(batch); rest.Length > 0; rooms++)
        {
            var count = LengthOfRun(rest);
            foreach (ref readonly var posted in rest[..count])
            {
                files += posted.Draft.File is null ? 0 : 1;
            }

            rest = rest[count..];
        }

        return (rooms, files);
    }

    /// <returns>How many messages at the beginning are of one room.</returns>
    private static int LengthOfRun(ReadOnlySpan<PostedMessage> messages)
    {
        var length = 1;
        while (length < messages.Length && messages[length].Draft.Room == messages[0].Draft.Room)
        {
            length++;
        }

        return length;
    }

    private static RedisValue AddFile(RedisKey[] keys, ref int next, HeldFile file)
    {
        keys[next++] = RedisKeys.File(file.Id);
        return string.Create(CultureInfo.InvariantCulture, $"{next} {(long)file.Retention.TotalSeconds}");
    }
}
