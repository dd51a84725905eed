using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Support;

/// <summary>One call that Quantum got to save a message; or its part in one that saves many, whose headers it then has.</summary>
internal sealed record SaveCall(
    long Company, long Room, long User, string Identifier, string Content, string Authorization, string IdempotencyKey, DateTimeOffset At)
{
    /// <summary>The file that came with it.</summary>
    public SavedFile? File { get; init; }
}

/// <summary>A file as Quantum got it.</summary>
/// <param name="ContentLength">What the whole call was said to be long.</param>
internal sealed record SavedFile(string Name, string? ContentType, byte[] Bytes, long? ContentLength);

/// <summary>A real HTTP server that answers like Quantum, or as badly as a test wants.</summary>
internal sealed class QuantumServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<SaveCall> _calls = new();
    private readonly ConcurrentQueue<IReadOnlyList<SaveCall>> _batches = new();
    private readonly Dictionary<(long Room, long User, string Identifier), long> _rows = [];
    private readonly List<SaveCall> _saved = [];
    private readonly Lock _gate = new();
    private int _memberCalls;
    private int _answersToLose;
    private bool _stopped;

    private QuantumServer(WebApplication app) => _app = app;

    /// <summary>Also after it has stopped: another one may start there.</summary>
    public Uri Url { get; private set; } = new("http://127.0.0.1");

    /// <summary>For so many calls the row is made and the answer is lost on the way.</summary>
    public int AnswersToLose
    {
        set => Volatile.Write(ref _answersToLose, value);
    }

    /// <summary>Who is in a room; null answers 404. To begin with: users 1 to 99 are in every room.</summary>
    public Func<long, IReadOnlyList<long>?> Members { get; set; } = _ => [.. Enumerable.Range(1, 99).Select(user => (long)user)];

    /// <summary>Answers a save in place of Quantum if it returns true.</summary>
    public Func<SaveCall, HttpContext, Task<bool>> Instead { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>
    /// Answers a call with many messages in place of Quantum if it returns true; null: <see cref="Instead"/> is asked about one message
    /// after the other until it answers. The body may be read again from its start.
    /// </summary>
    public Func<IReadOnlyList<SaveCall>, HttpContext, Task<bool>>? InsteadOfBatch { get; set; }

    /// <summary>Why a message alone is refused for good (200 with <c>success: false</c>), in either call; null: it is not.</summary>
    public Func<SaveCall, string?> Refusal { get; set; } = _ => null;

    /// <summary>Authorizations of tokens that it no longer knows: it answers 401.</summary>
    public ConcurrentDictionary<string, bool> EndedTokens { get; } = new();

    /// <summary>Answers a question for members in place of Quantum if it returns true.</summary>
    public Func<HttpContext, Task<bool>> InsteadOfMembers { get; set; } = _ => Task.FromResult(false);

    public int MemberCalls => Volatile.Read(ref _memberCalls);

    /// <summary>All calls to save, repeated ones too.</summary>
    public IReadOnlyList<SaveCall> Calls => [.. _calls];

    /// <summary>All calls to save many messages, repeated ones too. Their messages are among <see cref="Calls"/>.</summary>
    public IReadOnlyList<IReadOnlyList<SaveCall>> Batches => [.. _batches];

    /// <summary>The rows, in the order in which they were made.</summary>
    public IReadOnlyList<SaveCall> Saved
    {
        get
        {
            lock (_gate)
            {
                return [.. _saved];
            }
        }
    }

    public static async Task<QuantumServer> StartAsync(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        var app = builder.Build();
        var quantum = new QuantumServer(app);
        app.MapPost("/chat/save_message_to_db/", quantum.SaveAsync);
        app.MapPost("/chat/save_file_to_db/", quantum.SaveAsync);
        app.MapPost("/chat/save_messages_to_db/", quantum.SaveManyAsync);
        app.MapGet("/chat/rooms/{room:long}/members/", quantum.MembersAsync);
        await app.StartAsync().WaitAsync(TimeSpan.FromSeconds(15));
        quantum.Url = new(app.Urls.First());
        return quantum;
    }

    /// <summary>Waits until that many rows are there.</summary>
    public async Task<IReadOnlyList<SaveCall>> WaitForSavedAsync(int count, TimeSpan? within = null)
    {
        await Eventually.TrueAsync(
            () => Saved.Count >= count, within ?? TimeSpan.FromSeconds(15), () => $"{Saved.Count} of {count} messages were saved");
        return Saved;
    }

    /// <summary>Forgets all calls and rows: a long run would fill the memory with them.</summary>
    public void Forget()
    {
        _calls.Clear();
        _batches.Clear();
        lock (_gate)
        {
            _rows.Clear();
            _saved.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }

    private async Task SaveAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var call = new SaveCall(
            long.Parse(form["company_id"].ToString()), long.Parse(form["room_id"].ToString()), long.Parse(form["user_id"].ToString()),
            form["identifier"].ToString(), form["message_content"].ToString(), context.Request.Headers.Authorization.ToString(),
            context.Request.Headers["Idempotency-Key"].ToString(), TimeProvider.System.GetUtcNow())
        {
            File = context.Request.Path.Value!.Contains("file", StringComparison.Ordinal) ? await FileAsync(context.Request, form) : null,
        };
        _calls.Enqueue(call);
        if (EndedTokens.ContainsKey(call.Authorization))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        if (await Instead(call, context))
        {
            return;
        }

        await AnswerAsync(context, Answer(call));
    }

    private async Task SaveManyAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        context.Request.EnableBuffering();
        using var sent = await JsonDocument.ParseAsync(context.Request.Body);
        SaveCall[] calls =
        [
            .. sent.RootElement.GetProperty("messages").EnumerateArray().Select(message => new SaveCall(
                message.GetProperty("company_id").GetInt64(), message.GetProperty("room_id").GetInt64(),
                message.GetProperty("user_id").GetInt64(), message.GetProperty("identifier").GetString()!,
                message.GetProperty("message_content").GetString()!, headers.Authorization.ToString(),
                headers["Idempotency-Key"].ToString(), TimeProvider.System.GetUtcNow())),
        ];
        _batches.Enqueue(calls);
        foreach (var call in calls)
        {
            _calls.Enqueue(call);
        }

        if (!await InsteadOfAsync(calls, context))
        {
            await AnswerAsync(context, new { success = true, results = calls.Select(Answer).ToArray() });
        }
    }

    private async Task<bool> InsteadOfAsync(SaveCall[] calls, HttpContext context)
    {
        if (InsteadOfBatch is { } insteadOfBatch)
        {
            return await insteadOfBatch(calls, context);
        }

        foreach (var call in calls)
        {
            if (await Instead(call, context))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Makes the row, unless the message is refused.</summary>
    private object Answer(SaveCall call) => Refusal(call) is { } why
        ? new { success = false, message = why }
        : new
        {
            success = true,
            message = new
            {
                id = Row(call), timestamp = "2026-01-01T10:02:00.000Z", body = call.Content, from_user_id = call.User, read = false,
            },
            message_date = "Today",
            message_time = "10:02 AM",
        };

    private async Task AnswerAsync(HttpContext context, object answer)
    {
        if (Interlocked.Decrement(ref _answersToLose) >= 0)
        {
            context.Abort();
            return;
        }

        await context.Response.WriteAsJsonAsync(answer);
    }

    private static async Task<SavedFile?> FileAsync(HttpRequest request, IFormCollection form)
    {
        var file = form.Files.Should().ContainSingle().Which;
        file.Name.Should().Be("file");
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes);
        return new(file.FileName, file.ContentType, bytes.ToArray(), request.ContentLength);
    }

    private long Row(SaveCall call)
    {
        lock (_gate)
        {
            var name = (call.Room, call.User, call.Identifier);
            if (!_rows.TryGetValue(name, out var row))
            {
                _saved.Add(call);
                _rows[name] = row = 9000 + _saved.Count;
            }

            return row;
        }
    }

    private async Task MembersAsync(HttpContext context, long room)
    {
        Interlocked.Increment(ref _memberCalls);
        if (await InsteadOfMembers(context))
        {
            return;
        }

        if (Members(room) is { } users)
        {
            await context.Response.WriteAsJsonAsync(new { success = true, user_ids = users });
        }
        else
        {
            context.Response.StatusCode = 404;
        }
    }
}
