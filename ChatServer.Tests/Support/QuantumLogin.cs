using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace ChatServer.Tests.Support;

/// <summary>One user's login at <see cref="QuantumDjango"/>, with the browser's cookies.</summary>
public sealed class QuantumLogin(HttpClient client, CookieContainer cookies, JsonElement login) : IDisposable
{
    /// <summary>What the browser sends as the first frame of its WebSocket.</summary>
    public string Token { get; } = login.GetProperty("token").GetString()!;

    public long UserId { get; } = login.GetProperty("user").GetProperty("id").GetInt64();

    public long CompanyId { get; } = login.GetProperty("company").GetProperty("id").GetInt64();

    /// <summary>The Redis key of the session record.</summary>
    public string Key => Encoding.UTF8.GetString(Convert.FromBase64String(Token.Replace('-', '+').Replace('_', '/')));

    public string SessionKey => cookies.GetCookies(client.BaseAddress!)["sessionid"]!.Value;

    public async Task LogOutAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/logout/");
        request.Headers.Add("X-CSRFToken", cookies.GetCookies(client.BaseAddress!)["csrftoken"]!.Value);
        using var answer = await client.SendAsync(request);
        answer.StatusCode.Should().Be(HttpStatusCode.OK, "{0}", await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Calls Quantum as ChatServer does: in the user's name, with the DRF token of the session record.</summary>
    internal async Task<(HttpStatusCode Status, JsonElement Body)> CallAsync(
        SampleRedis redis, HttpMethod method, string path, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Token", (await RecordAsync(redis)).GetProperty("token_key").GetString());
        using var answer = await client.SendAsync(request);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
    }

    internal async Task<JsonElement> RecordAsync(SampleRedis redis)
    {
        var bulk = await redis.SendAsync("GET", Key);
        bulk.Should().StartWith("$", "the session record is there");
        return JsonDocument.Parse(bulk[bulk.IndexOf('\n', StringComparison.Ordinal)..]).RootElement;
    }

    public void Dispose() => client.Dispose();
}
