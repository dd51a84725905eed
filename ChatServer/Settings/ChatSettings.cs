using ChatServer.Accept;
using ChatServer.Authenticate;
using ChatServer.Deliver;
using ChatServer.Files;
using ChatServer.Persist;
using ChatServer.Receive;
using ChatServer.Redis;
using ChatServer.Rooms;

namespace ChatServer.Settings;

/// <summary>Every room's settings, read and checked in one go, so that one start tells all mistakes.</summary>
/// <param name="IsEmbedded">Development without REDIS_HOST and QUANTUM_SERVER_URL: everything in this process, with a demo Quantum.</param>
/// <param name="Names">All settings that there are.</param>
/// <param name="Warnings">Settings that nobody reads, a line each.</param>
internal sealed record ChatSettings(
    bool IsEmbedded, AcceptOptions Accept, SessionOptions Sessions, DeliverOptions Deliver, ReceiveOptions Receive, FilesOptions Files, RoomOptions Rooms,
    RedisOptions Redis, PersistOptions Persist, IReadOnlyCollection<string> Names, IReadOnlyList<string> Warnings)
{
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static ChatSettings Read(IConfiguration configuration, ListenMode mode, bool isDevelopment)
    {
        var reader = new SettingReader(configuration);
        var redis = RedisOptions.Read(reader);
        var persist = PersistOptions.Read(reader);
        var isEmbedded = isDevelopment && reader.Text("REDIS_HOST") is null && reader.Text("QUANTUM_SERVER_URL") is null;
        if (!isEmbedded)
        {
            reader.Required("REDIS_HOST", "it is where Quantum keeps its sessions");
            reader.Required("QUANTUM_SERVER_URL", "it is where messages are saved");
        }

        var settings = new ChatSettings(
            isEmbedded,
            AcceptOptions.Read(reader, mode, isEmbedded, isDevelopment),
            SessionOptions.Read(reader),
            DeliverOptions.Read(reader),
            ReceiveOptions.Read(reader),
            FilesOptions.Read(reader),
            RoomOptions.Read(reader),
            redis,
            persist,
            reader.KnownNames,
            UnknownSettings.Find(configuration, reader.KnownNames));
        return reader.Mistakes.Count == 0 ? settings : throw new SettingsException(reader.Mistakes);
    }
}
