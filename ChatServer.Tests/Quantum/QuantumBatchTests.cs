using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Tests.Quantum;

/// <summary>Many messages in one call (contract 3.4).</summary>
public sealed class QuantumBatchTests : IAsyncLifetime
{
    private const int Limit = 30_000;
    private const string Saved = "{\"success\":true,\"message\":{\"id\":1}}";

    private static readonly StoredMessage[] Two = [QuantumParts.Message("a1"), QuantumParts.Message("a2", user: 9)];

    private QuantumServer? _quantum;
    private QuantumParts? _parts;

    private QuantumServer Quantum => _quantum!;

    public async ValueTask InitializeAsync()
    {
        _quantum = await QuantumServer.StartAsync();
        _parts = new QuantumParts(_quantum.Url, TimeSpan.FromSeconds(5), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _parts!.DisposeAsync();
        await _quantum!.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_SendsTheJsonAndHeadersOfTheContract()
    {
        var seen = new List<string>();
        Quantum.InsteadOfBatch = async (_, context) =>
        {
            var (request, headers) = (context.Request, context.Request.Headers);
            using var body = new MemoryStream();
            request.Body.Position = 0;
            await request.Body.CopyToAsync(body);
            seen.AddRange([
                $"{request.Method} {request.Path}", Encoding.UTF8.GetString(body.ToArray()), $"{request.ContentLength == body.Length}",
                $"{headers.TransferEncoding.Count}", request.ContentType!, headers.Authorization.ToString(), headers.Accept.ToString(),
                headers["Idempotency-Key"].ToString(),
            ]);
            return false;
        };

        await SaveAsync([QuantumParts.Message("a/1 ü", "zwei\r\nZeilen \"&\" ü漢+"), QuantumParts.Message("a2", room: 15, user: 9)]);

        const string keys = "3:12:7:a%2F1%20%C3%BC\n3:15:9:a2";
        seen.Should().Equal(
            "POST /chat/save_messages_to_db/",
            """
            {"messages":[
            {"type":"chat","room_id":12,"user_id":7,"company_id":3,"identifier":"a/1 ü","message_content":"zwei\r\nZeilen \"&\" ü漢+"},
            {"type":"chat","room_id":15,"user_id":9,"company_id":3,"identifier":"a2","message_content":"hello"}]}
            """.ReplaceLineEndings(""),
            "True", "0", "application/json", "Token service", "application/json",
            string.Concat(SHA256.HashData(Encoding.UTF8.GetBytes(keys)).Select(hash => hash.ToString("x2", CultureInfo.InvariantCulture))));
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_SomeAreRefused_GivesEachItsLastWordInOrder()
    {
        Quantum.Refusal = call => call.Identifier == "a2" ? "no such room" : null;

        var answered = (await SaveAsync([.. Two, QuantumParts.Message("a3")])).Should().BeOfType<BatchOutcome.Answered>().Subject;

        answered.Results.Select(result => (result as SaveOutcome.Saved)?.Id?.GetInt64()).Should().Equal(9001, null, 9002);
        answered.Results[1].Should().Be(new SaveOutcome.Refused("no such room"));
        Quantum.Saved.Select(row => row.Identifier).Should().Equal("a1", "a3");
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_Again_GetsTheSameRowsWithTheSameKey()
    {
        Quantum.AnswersToLose = 1;
        await FluentActions.Awaiting(() => SaveAsync()).Should().ThrowAsync<QuantumUnavailableException>("the answer was lost");

        var answered = (await SaveAsync()).Should().BeOfType<BatchOutcome.Answered>().Subject;

        answered.Results.Cast<SaveOutcome.Saved>().Select(saved => saved.Id!.Value.GetInt64()).Should().Equal(9001, 9002);
        Quantum.Batches.Should().HaveCount(2);
        Quantum.Calls.Select(call => call.IdempotencyKey).Distinct().Should().ContainSingle().Which.Should().MatchRegex("^[0-9a-f]{64}$");
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_FiveHundredLongTexts_AreReadThoughTheAnswerIsLargerThanThatToOne()
    {
        var messages = Enumerable.Range(0, QuantumOptions.MaxSaveBatch)
            .Select(n => QuantumParts.Message($"m{n}", new string('ü', 4000), seq: n + 1)).ToArray();

        // System.Text.Json, as ASP.NET sets it up, sends \u00fc: 12 MB.
        var answered = (await SaveAsync(messages)).Should().BeOfType<BatchOutcome.Answered>().Subject;

        answered.Results.Should().HaveCount(messages.Length).And.AllBeOfType<SaveOutcome.Saved>();
    }

    [Theory(Timeout = Limit)]
    [InlineData(400, "{\"success\":false,\"message\":\"too many\"}", "too many")]
    [InlineData(403, "{\"detail\":\"Not yours.\"}", "Not yours.")]
    [InlineData(413, "<html>", "Quantum answered HTTP 413.")]
    [InlineData(200, "{\"success\":false,\"message\":\"not these\"}", "not these")]
    public async Task SaveMany_AFinalWordOnTheWhole_IsARefusalOfTheWhole(int status, string body, string words)
    {
        AnswerWith(status, body);

        (await SaveAsync()).Should().Be(new BatchOutcome.Refused(words));

        Quantum.Batches.Should().ContainSingle();
    }

    [Theory(Timeout = Limit)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(501)]
    public async Task SaveMany_QuantumHasNoSuchCall_IsNotOffered(int status)
    {
        AnswerWith(status, "<html>");

        (await SaveAsync()).Should().Be(new BatchOutcome.NotOffered(status));
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_TheTokenIsNotKnown_IsNoLastWord()
    {
        AnswerWith(401, "{\"detail\":\"Invalid token.\"}");

        (await SaveAsync()).Should().Be(new BatchOutcome.TokenRefused());
    }

    [Theory(Timeout = Limit)]
    [InlineData(408, "{}")]
    [InlineData(429, "{}")]
    [InlineData(500, "{}")]
    [InlineData(503, "")]
    [InlineData(301, "")]
    [InlineData(202, $$"""{"success":true,"results":[{{Saved}},{{Saved}}]}""")]
    [InlineData(200, "<html>login</html>")]
    [InlineData(200, "[]")]
    [InlineData(200, "{\"success\":true}")]
    [InlineData(200, "{\"success\":true,\"results\":{}}")]
    [InlineData(200, $$"""{"success":true,"results":[{{Saved}}]}""")]
    [InlineData(200, $$"""{"success":true,"results":[{{Saved}},{{Saved}},{{Saved}}]}""")]
    [InlineData(200, $$"""{"success":true,"results":[{{Saved}},null]}""")]
    [InlineData(200, $$"""{"success":true,"results":[{{Saved}},{}]}""")]
    [InlineData(200, $$"""{"success":true,"results":[{{Saved}},{"success":1}]}""")]
    [InlineData(200, $$"""{"success":true,"results":[{{Saved}},{"success":true}]}""")]
    [InlineData(200, $$"""{"results":[{{Saved}},{{Saved}}]}""")]
    public async Task SaveMany_NoLastWord_IsUnavailableAfterOneCall(int status, string body)
    {
        AnswerWith(status, body, context => (context.Response.Headers.Location, context.Response.Headers.RetryAfter) = ("/x", "7"));

        var why = (await FluentActions.Awaiting(() => SaveAsync()).Should().ThrowAsync<QuantumUnavailableException>()).Which;

        why.IsThrottled.Should().Be(status == 429);
        why.RetryAfter.Should().Be(status == 200 ? null : TimeSpan.FromSeconds(7));
        Quantum.Batches.Should().ContainSingle("when it is tried again is the outbox's affair");
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SaveMany_TheAnswerIsFarTooLarge_AsksForFewerMessagesAndIsNotReadToItsEnd(bool isLengthTold)
    {
        AnswerWithoutEnd(isLengthTold);

        (await SaveAsync()).Should().BeOfType<BatchOutcome.Refused>().Which.Why.Should().Contain("bytes, which is not read");
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_TheAnswerToOneMessageIsFarTooLarge_IsUnavailable()
    {
        AnswerWithoutEnd(isLengthTold: true);

        await FluentActions.Awaiting(() => SaveAsync([QuantumParts.Message()])).Should().ThrowAsync<QuantumUnavailableException>(
            "there is nothing to halve, and nobody has refused the message");
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_TakesTooLong_IsGivenUp()
    {
        await using var parts = new QuantumParts(Quantum.Url, TimeSpan.FromSeconds(0.5), TimeProvider.System);
        Quantum.InsteadOfBatch = async (_, context) =>
        {
            await Task.Delay(TimeSpan.FromSeconds(20), context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        };

        (await parts.Client.Awaiting(client => client.SaveManyAsync(Two, "service", CancellationToken.None).AsTask())
            .Should().ThrowAsync<QuantumUnavailableException>()).WithMessage("Quantum takes too long*");

        Quantum.Batches.Should().ContainSingle();
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_NobodyListens_IsUnavailable()
    {
        await using var parts = new QuantumParts(
            new Uri($"http://127.0.0.1:{FreePort.Next()}/"), TimeSpan.FromSeconds(1), TimeProvider.System);

        await parts.Client.Awaiting(client => client.SaveManyAsync(Two, "service", CancellationToken.None).AsTask())
            .Should().ThrowAsync<QuantumUnavailableException>();
    }

    [Fact(Timeout = Limit)]
    public async Task SaveMany_NothingOrAFile_IsAMistakeOfTheCaller()
    {
        var file = QuantumParts.Message() with { Type = "file", File = new("id", "a.txt", "text/plain", 1, "00", "/files/id") };

        await FluentActions.Awaiting(() => SaveAsync([])).Should().ThrowAsync<ArgumentException>();
        await FluentActions.Awaiting(() => SaveAsync([.. Two, file])).Should().ThrowAsync<ArgumentException>();

        Quantum.Batches.Should().BeEmpty();
    }

    private Task<BatchOutcome> SaveAsync(StoredMessage[]? messages = null) =>
        _parts!.Client.SaveManyAsync(messages ?? Two, "service", CancellationToken.None).AsTask();

    private void AnswerWith(int status, string body, Action<HttpContext>? also = null) => Quantum.InsteadOfBatch = async (_, context) =>
    {
        context.Response.StatusCode = status;
        also?.Invoke(context);
        await context.Response.WriteAsync(body);
        return true;
    };

    private void AnswerWithoutEnd(bool isLengthTold) => Quantum.InsteadOfBatch = async (_, context) =>
    {
        var piece = new byte[1024 * 1024];
        context.Response.ContentLength = isLengthTold ? long.MaxValue : null;
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.Body.WriteAsync(piece, context.RequestAborted);
        }

        return true;
    };
}
