using ChatServer.Tests.Support;

namespace ChatServer.Tests.Files.Support;

/// <summary>A node that takes small files only, and is soon out of patience.</summary>
public sealed class LimitedNode : IAsyncLifetime
{
    public const int MaxFileBytes = 300_000;
    public const int Quota = 2_000_000;

    private readonly ChatFixture _chat = new();
    private TestNode? _node;

    internal ChatFixture Chat => _chat;

    internal TestNode Node => _node!;

    public async ValueTask InitializeAsync()
    {
        await _chat.InitializeAsync();
        _node = await _chat.StartNodeAsync(
            ("MAX_FILE_BYTES", $"{MaxFileBytes}"), ("CHAT_UPLOAD_TIMEOUT", "3"), ("CHAT_UPLOAD_QUOTA_BYTES", $"{Quota}"),
            ("CHAT_FILE_TYPES_BLOCKED", ".exe, text/html"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        await _chat.DisposeAsync();
    }

    internal async Task<ChatPeer> LoginAsync(long user, params long[] rooms) =>
        await ChatPeer.LoginAsync(Node.Url, await _chat.Sessions.LoginAsync(user), rooms);
}
