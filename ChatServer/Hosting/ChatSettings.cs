using System.Globalization;
using ChatServer.Configuration;
using ChatServer.Connections;
using ChatServer.Endpoints;
using ChatServer.Files;
using ChatServer.Operations;
using ChatServer.Outbox;
using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Requests;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;

namespace ChatServer.Hosting;

/// <summary>Every folder's settings, read and checked in one go, so that one start tells all mistakes.</summary>
/// <param name="IsEmbedded">Development without REDIS_HOST and QUANTUM_SERVER_URL: everything in this process, with a demo Quantum.</param>
/// <param name="Names">All settings that there are.</param>
/// <param name="Warnings">What is no mistake and worth a word, a line each.</param>
internal sealed record ChatSettings(
    bool IsEmbedded, RedisOptions Redis, FilesOptions Files, SessionOptions Sessions, ConnectionOptions Connections, QuantumOptions Quantum,
    RoomAccessOptions RoomAccess, RoomOptions Rooms, OutboxOptions Outbox, RequestOptions Requests, EndpointOptions Endpoints,
    OperationsOptions Operations, IReadOnlyCollection<string> Names, IReadOnlyList<string> Warnings)
{
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static ChatSettings Read(IConfiguration configuration, ListenMode mode, bool isDevelopment)
    {
        var reader = new SettingReader(configuration);
        var isEmbedded = isDevelopment && reader.Text("REDIS_HOST") is null && reader.Text("QUANTUM_SERVER_URL") is null;
        if (!isEmbedded)
        {
            reader.Required("REDIS_HOST", "it is where Quantum keeps its sessions");
            reader.Required("QUANTUM_SERVER_URL", "it is where messages are saved");
        }

        var requests = RequestOptions.Read(reader);
        var settings = new ChatSettings(
            isEmbedded,
            RedisOptions.Read(reader),
            FilesOptions.Read(reader),
            SessionOptions.Read(reader),
            ConnectionOptions.Read(reader),
            QuantumOptions.Read(reader),
            RoomAccessOptions.Read(reader),
            RoomOptions.Read(reader),
            OutboxOptions.Read(reader),
            requests,
            EndpointOptions.Read(reader, mode, isEmbedded, isDevelopment),
            OperationsOptions.Read(reader),
            reader.KnownNames,
            UnknownSettings.Find(configuration, reader.KnownNames));
        if (requests.MaxMessageBytes > settings.Connections.SendQueueBytes - ConnectionOptions.MessageOverheadBytes)
        {
            reader.Mistake("MAX_MESSAGE_BYTES", string.Create(CultureInfo.InvariantCulture,
                $"{requests.MaxMessageBytes} and a frame around it do not fit into SEND_QUEUE_BYTES, {settings.Connections
                    .SendQueueBytes}: that has to be larger by {ConnectionOptions.MessageOverheadBytes} at least."));
        }

        if (OpenFiles.MaxSockets() is { } sockets && sockets < settings.Connections.MaxConnections)
        {
            settings = settings with { Warnings = [.. settings.Warnings, TooFewFiles(settings.Connections.MaxConnections, sockets)] };
        }

        return reader.Mistakes.Count == 0 ? settings : throw new SettingsException(reader.Mistakes);
    }

    private static string TooFewFiles(int connections, int sockets) => string.Create(CultureInfo.InvariantCulture,
        $"MAX_CONNECTIONS: of {connections} connections this process can have {sockets}, since it may open {OpenFiles.Most} files. Raise "
        + $"that limit (ulimit -n, LimitNOFILE= in systemd), or lower MAX_CONNECTIONS.");
}
