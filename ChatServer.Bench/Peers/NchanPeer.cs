using ChatServer.Bench.Drive;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Peers;

/// <summary>nginx with the module nchan: a WebSocket at /ws/ROOM publishes to a channel and hears it, by way of Redis.</summary>
internal static class NchanPeer
{
    private const string Install = "apt-get install nginx libnginx-mod-nchan";
    private const string ConfigFile = "nginx.conf";

    /// <summary>Besides the clients': to Redis, and the listener.</summary>
    private const int SpareConnections = 100;

    private static readonly string? Program = Programs.Find("nginx");
    private static readonly string? Module =
        ((string[])["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules"])
            .Select(folder => Path.Combine(folder, "ngx_nchan_module.so")).FirstOrDefault(File.Exists);

    /// <summary>Why it cannot be had; null if it can.</summary>
    public static string? Obstacle =>
        Program is null ? $"there is no nginx on this machine ({Install})"
        : Module is null ? $"nginx's module nchan is missing ({Install})"
        : null;

    public static Launch LaunchOn(int port, int redis, bool tls, bool deflate, int clients) =>
        new([Program!, "-p", "./", "-c", ConfigFile])
        {
            Files = [(ConfigFile, Config(port, redis, tls, deflate, clients))],
        };

    /// <summary>How many connections it must have room for: it cuts some of them when less than a sixteenth of that room is left.</summary>
    private static int RoomFor(int clients) => clients + (clients / 8) + SpareConnections;

    /// <summary>
    /// One process, in the foreground. All that it writes is in its working directory. New members hear only what is sent from then on.
    /// </summary>
    private static string Config(int port, int redis, bool tls, bool deflate, int clients) => $$"""
        load_module {{Module}};
        daemon off;
        master_process off;
        pid nginx.pid;
        error_log stderr error;
        events { worker_connections {{RoomFor(clients)}}; }
        http {
          access_log off;
          client_body_temp_path body;
          proxy_temp_path proxy;
          fastcgi_temp_path fastcgi;
          uwsgi_temp_path uwsgi;
          scgi_temp_path scgi;
          upstream backplane { nchan_redis_server redis://127.0.0.1:{{redis}}; }
          server {
            listen 127.0.0.1:{{port}}{{(tls ? " ssl" : "")}};
            {{(tls ? $"ssl_certificate {DevCertificate.Shared.CertFile}; ssl_certificate_key {DevCertificate.Shared.KeyFile};" : "")}}
            location ~ ^/ws/(\d+)$ {
              nchan_pubsub websocket;
              nchan_channel_id $1;
              nchan_redis_pass backplane;
              nchan_subscriber_first_message newest;
              nchan_websocket_client_heartbeat {{NchanDialect.Ping}} {{NchanDialect.Pong}};
              nchan_deflate_message_for_websocket {{(deflate ? "on" : "off")}};
            }
          }
        }
        """;
}
