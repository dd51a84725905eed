using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Tests.Quantum;

public sealed class QuantumClientTests : IAsyncLifetime
{
    private const int Limit = 30_000;

    private QuantumServer? _quantum;
    private QuantumParts? _parts;

    private QuantumServer Quantum => _quantum!;

    private QuantumClient Client => _parts!.Client;

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

    [Theory(Timeout = Limit)]
    [InlineData("a1", "3:12:7:a1")]
    [InlineData("a b/c?d=e&f", "3:12:7:a%20b%2Fc%3Fd%3De%26f")]
    [InlineData("ü漢😀", "3:12:7:%C3%BC%E6%BC%A2%F0%9F%98%80")]
    [InlineData("line\r\nInjected: yes", "3:12:7:line%0D%0AInjected%3A%20yes")]
    [InlineData("-._~!*'()", "3:12:7:-._~%21%2A%27%28%29")]
    public async Task Save_SendsTheFieldsAndHeadersOfTheContract(string identifier, string key)
    {
        var seen = new List<string>();
        Quantum.Instead = (_, context) =>
        {
            var form = context.Request.Form;
            seen.AddRange([
                string.Join(
                    ',', form.Keys.Order(StringComparer.Ordinal)), context.Request.ContentType!, $"{context.Request.ContentLength > 0}",
                $"{context.Request.Headers.TransferEncoding.Count}", context.Request.Headers.Accept.ToString(),
            ]);
            return Task.FromResult(false);
        };

        await Client.SaveAsync(QuantumParts.Message(identifier, "zwei\r\nZeilen & ü=😀+"), "rest-7", CancellationToken.None);

        var call = Quantum.Calls.Should().ContainSingle().Subject;
        (call.Company, call.Room, call.User, call.Identifier, call.Content).Should().Be((3, 12, 7, identifier, "zwei\r\nZeilen & ü=😀+"));
        call.Authorization.Should().Be("Token rest-7");
        call.IdempotencyKey.Should().Be(key);
        seen.Should().Equal(
            "company_id,identifier,message_content,room_id,user_id", "application/x-www-form-urlencoded", "True", "0", "application/json");
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Save_TheAnswerIsFarTooLarge_IsUnavailableAndNotReadToItsEnd(bool isLengthTold)
    {
        const int pieces = 64;
        var (piece, written) = (new byte[1024 * 1024], 0);
        Quantum.Instead = async (_, context) =>
        {
            context.Response.ContentLength = isLengthTold ? pieces * piece.Length : null;
            for (; written < pieces && !context.RequestAborted.IsCancellationRequested; written++)
            {
                // With a pause: what is written after the connection has gone counts for nothing, and comes at once.
                await context.Response.Body.WriteAsync(piece, context.RequestAborted);
                await Task.Delay(20, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            return true;
        };

        (await FluentActions.Awaiting(SaveAsync).Should().ThrowAsync<QuantumUnavailableException>())
            .WithMessage("*more than 1048576 bytes*");

        await Task.Delay(200);
        written.Should().BeLessThan(32, "the rest stays where it is");
    }

    [Fact(Timeout = Limit)]
    public async Task Save_ARefusalComesWithAPageThatIsFarTooLarge_IsFinal()
    {
        AnswerWith(404, new('x', 2 * 1024 * 1024));

        (await SaveAsync()).Should().Be(new SaveOutcome.Refused("Quantum answered HTTP 404."));
    }

    [Theory(Timeout = Limit)]
    [InlineData(200)]
    [InlineData(201)]
    public async Task Save_Succeeds_GivesWhatQuantumGave(int status)
    {
        AnswerWith(status,
            "{\"success\":true,\"message\":{\"id\":9001,\"timestamp\":\"T\",\"x\":1},\"user_ids\":[7,9],\"message_date\":\"Today\",\"message_time\":\"10:02 AM\"}");

        var saved = (await SaveAsync()).Should().BeOfType<SaveOutcome.Saved>().Subject;

        (saved.Id!.Value.GetInt64(), saved.Timestamp, saved.Date, saved.Time).Should().Be((9001, "T", "Today", "10:02 AM"));
        saved.UserIds.Should().Equal(7, 9);
    }

    [Fact(Timeout = Limit)]
    public async Task Save_AStringOfTheAnswerHasHalfOfASurrogatePair_IsSavedWithoutThatString()
    {
        AnswerWith(200,
            """{"\udc00":1,"success":true,"message":{"id":"\ud83d","timestamp":"\ud83d"},"user_ids":["\ud83d"],"message_date":"Today"}""");

        var saved = (await SaveAsync()).Should().BeOfType<SaveOutcome.Saved>().Subject;

        (saved.Id, saved.Timestamp, saved.Date).Should().Be((null, null, "Today"));
        saved.UserIds.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Save_UserIdsAreStrings_AreUnderstoodAsNumbers()
    {
        AnswerWith(200, """{"success":true,"message":{"id":1},"user_ids":["7",9,"x","-1","",null]}""");

        (await SaveAsync()).Should().BeOfType<SaveOutcome.Saved>().Subject.UserIds.Should().Equal(7, 9);
    }

    [Theory(Timeout = Limit)]
    [InlineData(200, "{\"success\":false,\"message\":\"\\ud83d\"}", "Quantum gave no reason.")]
    [InlineData(200, "{\"success\":false,\"message\":\"\\ud83d\",\"detail\":\"why\"}", "why")]
    [InlineData(200, "{\"success\":false,\"message\":\"no such room\"}", "no such room")]
    [InlineData(200, "{\"success\":false}", "Quantum gave no reason.")]
    [InlineData(400, "{\"success\":false,\"message\":\"body is too long\"}", "body is too long")]
    [InlineData(400, "{\"message\":\"half of a pair: \\ud800\"}", "Quantum answered HTTP 400.")]
    [InlineData(400, "{\"mess\\ud800\":\"\",\"detail\":\"no\"}", "no")]
    [InlineData(403, "<html>", "Quantum answered HTTP 403.")]
    [InlineData(404, "", "Quantum answered HTTP 404.")]
    [InlineData(422, "[]", "Quantum answered HTTP 422.")]
    public async Task Save_IsRefusedForGood_GivesQuantumsWordsAndDoesNotAskAgain(int status, string body, string words)
    {
        AnswerWith(status, body);

        (await SaveAsync()).Should().Be(new SaveOutcome.Refused(words));

        Quantum.Calls.Should().ContainSingle();
    }

    [Fact(Timeout = Limit)]
    public async Task Save_TheTokenIsNotKnown_IsNoLastWord()
    {
        AnswerWith(401, "{\"detail\":\"Invalid token.\"}");

        (await SaveAsync()).Should().Be(new SaveOutcome.TokenRefused());
    }

    [Theory(Timeout = Limit)]
    [InlineData(408, "{}")]
    [InlineData(429, "{}")]
    [InlineData(500, "{\"success\":false,\"message\":\"x\"}")]
    [InlineData(502, "")]
    [InlineData(503, "")]
    [InlineData(301, "")]
    [InlineData(302, "")]
    [InlineData(202, "{\"success\":true,\"message\":{\"id\":1}}")]
    [InlineData(201, "<html>")]
    [InlineData(200, "<html>login</html>")]
    [InlineData(200, "")]
    [InlineData(200, "[]")]
    [InlineData(200, "{}")]
    [InlineData(200, "{\"success\":\"yes\"}")]
    [InlineData(200, "{\"success\":true}")]
    [InlineData(200, "{\"success\":true,\"message\":\"saved\"}")]
    public async Task Save_NoLastWord_IsUnavailableAfterOneCall(int status, string body)
    {
        AnswerWith(status, body, context => context.Response.Headers.Location = "/elsewhere");

        var why = (await FluentActions.Awaiting(SaveAsync).Should().ThrowAsync<QuantumUnavailableException>()).Which;

        why.IsThrottled.Should().Be(status == 429);
        why.RetryAfter.Should().BeNull();
        Quantum.Calls.Should().ContainSingle("when it is tried again is the outbox's affair");
    }

    [Theory(Timeout = Limit)]
    [InlineData(429, "7200", 7200)]
    [InlineData(503, "0", 0)]
    [InlineData(503, "soon", null)]
    [InlineData(429, "Wed, 21 Oct 2015 07:28:00 GMT", null)]
    public async Task Save_RetryAfter_IsToldInFull(int status, string header, int? seconds)
    {
        AnswerWith(status, "", context => context.Response.Headers.RetryAfter = header);

        var why = (await FluentActions.Awaiting(SaveAsync).Should().ThrowAsync<QuantumUnavailableException>()).Which;

        why.RetryAfter.Should().Be(seconds is { } told ? TimeSpan.FromSeconds(told) : null);
    }

    [Fact(Timeout = Limit)]
    public async Task Save_RetryAfterADate_IsTheTimeUntilThen()
    {
        var then = TimeProvider.System.GetUtcNow().AddMinutes(30);
        AnswerWith(429, "", context => context.Response.Headers.RetryAfter = then.ToString("R", CultureInfo.InvariantCulture));

        var why = (await FluentActions.Awaiting(SaveAsync).Should().ThrowAsync<QuantumUnavailableException>()).Which;

        why.RetryAfter.Should().BeCloseTo(TimeSpan.FromMinutes(30), TimeSpan.FromSeconds(20));
    }

    [Fact(Timeout = Limit)]
    public async Task Save_TakesTooLong_IsGivenUp()
    {
        await using var parts = new QuantumParts(Quantum.Url, TimeSpan.FromSeconds(0.5), TimeProvider.System);
        HangAlways();

        (await parts.Client.Awaiting(client => client.SaveAsync(QuantumParts.Message(), "rest", CancellationToken.None).AsTask())
            .Should().ThrowAsync<QuantumUnavailableException>()).WithMessage("Quantum takes too long*");

        Quantum.Calls.Should().ContainSingle();
    }

    [Fact(Timeout = Limit)]
    public async Task Save_NobodyListens_IsUnavailable()
    {
        await using var parts = new QuantumParts(
            new Uri($"http://127.0.0.1:{FreePort.Next()}/"), TimeSpan.FromSeconds(1), TimeProvider.System);

        await parts.Client.Awaiting(client => client.SaveAsync(QuantumParts.Message(), "rest", CancellationToken.None).AsTask())
            .Should().ThrowAsync<QuantumUnavailableException>();
    }

    /// <summary>
    /// The HTTP client asks the new socket for its peer's address, which it has lost: that comes as a bare SocketException.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task Save_AConnectionIsResetInTheMomentInWhichItIsMade_IsUnavailable()
    {
        await using var refusing = new TcpProxy(Quantum.Url.Port) { Refuses = true };
        await using var parts = new QuantumParts(Quantum.Url, TimeSpan.FromSeconds(5), TimeProvider.System, async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, refusing.Port, cancellation);
            var stream = new NetworkStream(socket, ownsSocket: true);
            socket.Poll(TimeSpan.FromSeconds(5), SelectMode.SelectRead).Should().BeTrue("the reset has come");
            return stream;
        });

        await parts.Client.Awaiting(client => client.SaveAsync(QuantumParts.Message(), "rest", CancellationToken.None).AsTask())
            .Should().ThrowAsync<QuantumUnavailableException>();
    }

    [Fact(Timeout = Limit)]
    public async Task Save_Cancelled_EndsAtOnce()
    {
        HangAlways();
        using var stopping = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var started = Stopwatch.GetTimestamp();

        await Client.Awaiting(client => client.SaveAsync(QuantumParts.Message(), "rest", stopping.Token).AsTask())
            .Should().ThrowAsync<OperationCanceledException>();

        Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact(Timeout = Limit)]
    public async Task Members_AreAskedForWithTokenAndCompany()
    {
        var asked = "";
        Quantum.InsteadOfMembers = context =>
        {
            asked = $"{context.Request.Path}{context.Request.QueryString} {context.Request.Headers.Authorization}";
            return Task.FromResult(false);
        };
        Quantum.Members = _ => [7, 9];

        (await MembersAsync()).Should().Equal(7, 9);

        asked.Should().Be("/chat/rooms/12/members/?company_id=3 Token rest-7");
    }

    [Theory(Timeout = Limit)]
    [InlineData(403, "")]
    [InlineData(404, "{\"detail\":\"Not found.\"}")]
    [InlineData(200, "{\"success\":false}")]
    public async Task Members_ARefusal_IsNobody(int status, string body)
    {
        AnswerMembersWith(status, body);

        (await MembersAsync()).Should().BeNull();
    }

    [Theory(Timeout = Limit)]
    [InlineData(500, "")]
    [InlineData(401, "{}")]
    [InlineData(200, "{\"success\":true}")]
    [InlineData(200, "{\"success\":true,\"user_ids\":7}")]
    [InlineData(200, "<html>")]
    [InlineData(302, "")]
    public async Task Members_NoAnswerThatMakesSense_IsUnavailableAfterOneMoreTry(int status, string body)
    {
        AnswerMembersWith(status, body);

        await FluentActions.Awaiting(MembersAsync).Should().ThrowAsync<QuantumUnavailableException>();

        Quantum.MemberCalls.Should().Be(2);
    }

    private Task<SaveOutcome> SaveAsync() => Client.SaveAsync(QuantumParts.Message(), "rest-7", CancellationToken.None).AsTask();

    private Task<IReadOnlyList<long>?> MembersAsync() =>
        Client.GetMembersAsync(new RoomKey(3, 12), "rest-7", CancellationToken.None).AsTask();

    private void HangAlways() => Quantum.Instead = async (_, context) =>
    {
        await Task.Delay(TimeSpan.FromSeconds(20), context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    };

    private void AnswerWith(int status, string body, Action<HttpContext>? also = null) => Quantum.Instead = async (_, context) =>
    {
        context.Response.StatusCode = status;
        also?.Invoke(context);
        await context.Response.WriteAsync(body);
        return true;
    };

    private void AnswerMembersWith(int status, string body) => Quantum.InsteadOfMembers = async context =>
    {
        context.Response.StatusCode = status;
        await context.Response.WriteAsync(body);
        return true;
    };
}
