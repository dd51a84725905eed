using System.Globalization;
using System.Text;
using ChatServer.Connections;
using ChatServer.Files;
using ChatServer.Outbox;
using ChatServer.Redis;
using ChatServer.Rooms;

namespace ChatServer.Operations;

/// <summary><c>/metrics</c>: this node's and the outbox's state in Prometheus's text format (version 0.0.4).</summary>
internal static class MetricsEndpoint
{
    public static void MapMetrics(this IEndpointRouteBuilder app) =>
        app.MapMethods("/metrics", HealthEndpoints.Methods,
            async (
                ConnectionRegistry connections, RoomDirectory rooms, UploadWatch uploads, SaveConcurrency saves, BacklogGauge backlog,
                TimeProvider time) =>
        {
            var text = new StringBuilder();
            Gauge(text, "chatserver_connections", "Open connections of this node.", connections.Count);
            Gauge(text, "chatserver_rooms", "Rooms with members on this node.", rooms.Count);
            Gauge(text, "chatserver_uploads", "Files on their way over this node.", uploads.Count);
            Gauge(text, "chatserver_saves_allowed", "Saves that may be under way at once; 1 while Quantum is in trouble.", saves.Allowed);
            Counter(text, "chatserver_saved_total", "Messages that this node brought to Quantum.", saves.Saved);
            Counter(text, "chatserver_allocated_bytes_total", "Bytes that this process has allocated for objects.",
                GC.GetTotalAllocatedBytes());
            try
            {
                var size = await backlog.ReadAsync();
                Gauge(text, "chatserver_outbox_messages", "Messages of all rooms that Quantum does not have yet.", size.Waiting);
                var stuck = size.StuckSince is { } since ? time.GetUtcNow() - since : TimeSpan.Zero;
                Gauge(
                    text, "chatserver_outbox_stuck_seconds",
                    "For how long the room that waits longest has had messages for Quantum of which none was saved.",
                    (long)Math.Max(0, stuck.TotalSeconds));
                Gauge(text, "chatserver_dead_letters", "Messages of all rooms that Quantum will not have.", size.Dead);
                Gauge(text, "chatserver_redis_up", "Whether Redis answers.", 1);
            }
            catch (RedisUnavailableException)
            {
                Gauge(text, "chatserver_redis_up", "Whether Redis answers.", 0);
            }

            return Results.Text(text.ToString(), "text/plain; version=0.0.4", Encoding.UTF8);
        });

    private static void Gauge(StringBuilder text, string name, string help, long value) => Append(text, name, help, "gauge", value);

    private static void Counter(StringBuilder text, string name, string help, long value) => Append(text, name, help, "counter", value);

    private static void Append(StringBuilder text, string name, string help, string type, long value) =>
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value}\n");
}
