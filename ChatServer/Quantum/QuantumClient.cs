using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Redis;
using Polly;
using Polly.CircuitBreaker;

namespace ChatServer.Quantum;

/// <summary>Quantum's REST API (contract, part 3), each call under a Polly pipeline.</summary>
internal sealed class QuantumClient(
    IHttpClientFactory clients, QuantumPipelines pipelines, QuestionSlots slots, QuantumReach reach, IFileStore files,
    TimeProvider time)
    : IMemberSource
{
    /// <summary>The name of its HttpClient.</summary>
    public const string ClientName = "quantum";

    /// <summary>
    /// One call to save a message, with its file where it brings one; doing it again with the same identifier has no effect.
    /// </summary>
    /// <exception cref="QuantumUnavailableException">There is no final answer yet: try again later.</exception>
    /// <exception cref="FileGoneException">Its file is no longer held.</exception>
    /// <exception cref="RedisUnavailableException">Its file can't be read now.</exception>
    public ValueTask<SaveOutcome> SaveAsync(StoredMessage message, string tokenKey, CancellationToken cancellation) =>
        RunAsync(
            message.File is null ? pipelines.Save : pipelines.SaveFile, token => SaveOnceAsync(message, tokenKey, token), cancellation);

    /// <summary>
    /// One call to save many messages, of one or several rooms; doing it again with the same identifiers has no effect.
    /// </summary>
    /// <param name="messages">At least one; each room's in seq order, and none with a file.</param>
    /// <param name="tokenKey">A REST token that may save for all their senders.</param>
    /// <exception cref="QuantumUnavailableException">There is no final answer yet, and some may be saved: try again later.</exception>
    public ValueTask<BatchOutcome> SaveManyAsync(
        IReadOnlyList<StoredMessage> messages, string tokenKey, CancellationToken cancellation)
    {
        if (messages.Count == 0 || messages.Any(message => message.File is not null))
        {
            throw new ArgumentException("A batch has at least one message, and files are saved one by one.", nameof(messages));
        }

        return RunAsync(pipelines.SaveMany, token => SaveManyOnceAsync(messages, tokenKey, token), cancellation);
    }

    public ValueTask<IReadOnlyList<long>?> GetMembersAsync(RoomKey room, string tokenKey, CancellationToken cancellation) =>
        RunAsync(pipelines.Members, token => TryGetMembersAsync(room, tokenKey, token), cancellation, holdsCalls: true);

    /// <summary>One try, as soon as there is a slot for it: neither the wait for that nor pauses between tries hold one.</summary>
    private async ValueTask<IReadOnlyList<long>?> TryGetMembersAsync(RoomKey room, string tokenKey, CancellationToken cancellation)
    {
        using var slot = await slots.TakeAsync(tokenKey, cancellation);
        return await RunAsync(pipelines.MembersTry, token => GetMembersOnceAsync(room, tokenKey, token), cancellation);
    }

    private async ValueTask<SaveOutcome> SaveOnceAsync(StoredMessage message, string tokenKey, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, message.File is null ? "chat/save_message_to_db/" : "chat/save_file_to_db/");
        request.Headers.TryAddWithoutValidation(IdempotencyKey.Header, IdempotencyKey.Of(message));
        request.Content = SaveForm.Of(message, files);
        return await SendAsync(request, tokenKey, cancellation) switch
        {
            (HttpStatusCode.OK or HttpStatusCode.Created, { } answer) => QuantumAnswer.ReadSave(answer),
            (HttpStatusCode.Unauthorized, _) => new SaveOutcome.TokenRefused(),
            (var status, var answer) => new SaveOutcome.Refused(WhyRefused(status, answer)),
        };
    }

    private async ValueTask<BatchOutcome> SaveManyOnceAsync(
        IReadOnlyList<StoredMessage> messages, string tokenKey, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/save_messages_to_db/");
        request.Headers.TryAddWithoutValidation(IdempotencyKey.Header, IdempotencyKey.Of(messages));
        request.Content = SaveBatchJson.Of(messages);
        var maxAnswerBytes = QuantumOptions.MaxBatchAnswerBytes(messages.Count, request.Content.Headers.ContentLength!.Value);
        try
        {
            return await SendAsync(request, tokenKey, cancellation, QuantumAnswer.IsPassingForBatch, maxAnswerBytes) switch
            {
                (HttpStatusCode.OK or HttpStatusCode.Created, { } answer) => QuantumAnswer.ReadSaves(answer, messages.Count),
                (HttpStatusCode.Unauthorized, _) => new BatchOutcome.TokenRefused(),
                (var status and (HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented), _) =>
                    new BatchOutcome.NotOffered((int)status),
                (var status, var answer) => new BatchOutcome.Refused(WhyRefused(status, answer)),
            };
        }
        catch (QuantumUnavailableException exception) when (exception.IsAnswerTooLarge && messages.Count > 1)
        {
            // Tried again as it is, it would never end.
            return new BatchOutcome.Refused(exception.Message);
        }
    }

    private async ValueTask<IReadOnlyList<long>?> GetMembersOnceAsync(RoomKey room, string tokenKey, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"chat/rooms/{room.RoomId}/members/?company_id={room.CompanyId}");
        return await SendAsync(request, tokenKey, cancellation) switch
        {
            (HttpStatusCode.OK, { } answer) => QuantumAnswer.ReadMembers(answer),
            (HttpStatusCode.Forbidden or HttpStatusCode.NotFound, _) => null,
            (var status, _) =>
                throw new QuantumUnavailableException($"Quantum answered HTTP {(int)status} to a question for a room's members.")
                {
                    IsRefusal = true,
                },
        };
    }

    private static string WhyRefused(HttpStatusCode status, JsonElement? answer) =>
        (answer is { } words ? QuantumAnswer.Words(words) : null) ?? $"Quantum answered HTTP {(int)status}.";

    /// <param name="isPassing">Which statuses are no final answer; null: <see cref="QuantumAnswer.IsPassing"/>.</param>
    /// <param name="maxAnswerBytes">The largest answer that is read.</param>
    /// <returns>The status of a final answer, and its JSON if there is any.</returns>
    private async ValueTask<(HttpStatusCode Status, JsonElement? Answer)> SendAsync(
        HttpRequestMessage request, string tokenKey, CancellationToken cancellation, Func<HttpStatusCode, bool>? isPassing = null,
        long maxAnswerBytes = QuantumOptions.MaxAnswerBytes)
    {
        request.Headers.TryAddWithoutValidation("Authorization", $"Token {tokenKey}");
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        try
        {
            using var client = clients.CreateClient(ClientName);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if ((isPassing ?? QuantumAnswer.IsPassing)(response.StatusCode))
            {
                throw new QuantumUnavailableException($"Quantum answered HTTP {(int)response.StatusCode}.")
                {
                    RetryAfter = RetryAfter(response),
                    IsThrottled = response.StatusCode == HttpStatusCode.TooManyRequests,
                };
            }

            var isRequired = QuantumAnswer.IsSuccess(response.StatusCode);
            return (response.StatusCode, ReadJson(await ReadAsync(response, isRequired, maxAnswerBytes, cancellation), isRequired));
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException)
        {
            // The HTTP client throws the latter if a connection is reset in the moment in which it is made.
            throw new QuantumUnavailableException($"Quantum can't be reached: {exception.Message}", exception);
        }
    }

    /// <returns>The body; nothing where it is too large and not required.</returns>
    private static async ValueTask<byte[]> ReadAsync(
        HttpResponseMessage response, bool isRequired, long maxBytes, CancellationToken cancellation)
    {
        try
        {
            // A length that is too large is refused before anything is read; else reading ends at the limit.
            await response.Content.LoadIntoBufferAsync(maxBytes, cancellation);
            return await response.Content.ReadAsByteArrayAsync(cancellation);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            return isRequired
                ? throw new QuantumUnavailableException(
                    $"Quantum answered HTTP {(int)response.StatusCode} with more than {maxBytes} bytes, "
                    + "which is not read: what is saved is not known.", exception)
                {
                    IsAnswerTooLarge = true,
                }
                : [];
        }
    }

    private static JsonElement? ReadJson(byte[] body, bool isRequired)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            return isRequired ? throw new QuantumUnavailableException("Quantum's answer is not JSON.", exception) : null;
        }
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } when date > time.GetUtcNow() => date - time.GetUtcNow(),
            _ => null,
        };

    /// <param name="holdsCalls">Whether what it runs are calls that are counted by themselves.</param>
    private async ValueTask<T> RunAsync<T>(
        ResiliencePipeline<T> pipeline, Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellation, bool holdsCalls = false)
    {
        var context = ResilienceContextPool.Shared.Get(cancellation);
        try
        {
            // With outcomes instead of exceptions, so that not each strategy throws a failure again.
            var outcome = await pipeline.ExecuteOutcomeAsync(TryAsync, context, call);
            outcome.ThrowIfException();
            if (!holdsCalls)
            {
                reach.Answered();
            }

            return outcome.Result!;
        }
        catch (BrokenCircuitException exception)
        {
            throw new QuantumUnavailableException("Quantum did not answer others lately, and is left alone for a while.", exception);
        }
        catch (QuantumUnavailableException exception) when (!exception.IsThrottled && !holdsCalls)
        {
            reach.Failed(exception.Message);
            throw;
        }
        catch (ExecutionRejectedException exception)
        {
            if (!holdsCalls)
            {
                reach.Failed(exception.Message);
            }

            throw new QuantumUnavailableException($"Quantum takes too long: {exception.Message}", exception);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private static async ValueTask<Outcome<T>> TryAsync<T>(ResilienceContext context, Func<CancellationToken, ValueTask<T>> call)
    {
        try
        {
            return Outcome.FromResult(await call(context.CancellationToken));
        }
        catch (Exception exception)
        {
            return Outcome.FromException<T>(exception);
        }
    }
}
