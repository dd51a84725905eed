using ChatServer.Operations;
using ChatServer.Redis;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.EndToEnd;

/// <summary>Quantum deletes a user's REST token at logout; what the user said before may still wait for Quantum.</summary>
public sealed class LogoutWithBacklogTests : IAsyncLifetime
{
    private const long User = 61;

    private readonly ChatFixture _chat = new();
    private readonly HashSet<string> _dead = [];

    public async ValueTask InitializeAsync()
    {
        await _chat.InitializeAsync();
        _chat.Quantum.Instead = async (call, context) =>
        {
            lock (_dead)
            {
                if (!_dead.Contains(call.Authorization))
                {
                    return false;
                }
            }

            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            await context.Response.WriteAsJsonAsync(new { detail = "Invalid token." });
            return true;
        };
    }

    public ValueTask DisposeAsync() => _chat.DisposeAsync();

    [Fact]
    public async Task What_a_user_said_before_a_logout_is_saved_after_the_next_login_and_holds_up_no_other_room()
    {
        await SayAndLogOutAsync("m1", "m2", "m3");
        await using var other = await _chat.LoginAsync(62, 871);
        await other.SayAsync(871, "other");
        (await other.ToldAsync("info_chat")).Text("identifier").Should().Be("other");
        await Task.Delay(2000);
        _chat.Quantum.Saved.Should().ContainSingle("the user has no token");
        _chat.Quantum.Calls.Count(call => call.User == User).Should().Be(1, "a token that was refused is left alone for a while");

        await using var back = await LoginAgainAsync();

        (await _chat.Quantum.WaitForSavedAsync(4, TimeSpan.FromSeconds(30))).Where(call => call.User == User)
            .Select(call => (call.Identifier, call.Authorization)).Should()
            .Equal(("m1", "Token new-61"), ("m2", "Token new-61"), ("m3", "Token new-61"));
        (await back.ToldAsync("info_chat")).Text("identifier").Should().Be("m1");
        _chat.Node.Log.All.Should().NotContain(line => line.Contains("dead letter", StringComparison.Ordinal))
            .And.NotContain(line => line.Contains("new-61", StringComparison.Ordinal), "tokens are secrets");
    }

    [Fact]
    public async Task With_a_token_of_the_services_own_a_logout_does_not_matter()
    {
        await using var node = await _chat.StartNodeAsync(("QUANTUM_SERVICE_TOKEN", "service"));
        await _chat.Node.StopAsync();
        Kill("Token rest-61");
        await using var sender = await ChatPeer.LoginAsync(node.Url, await _chat.Sessions.LoginAsync(User), 870);
        await sender.SayAsync(870, "m1");

        (await _chat.Quantum.WaitForSavedAsync(1)).Should().ContainSingle().Which.Authorization.Should().Be("Token service");
        node.Log.All.Should().NotContain(line => line.Contains("Token service", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dead_letter_that_is_retried_goes_out_with_the_token_that_lives_now()
    {
        await using (var sender = await _chat.LoginAsync(User, 870))
        {
            var instead = _chat.Quantum.Instead;
            _chat.Quantum.Instead = async (_, context) =>
            {
                await context.Response.WriteAsJsonAsync(new { success = false, message = "not now" });
                return true;
            };
            await sender.SayAsync(870, "m1");
            await sender.ToldAsync("info");
            _chat.Quantum.Instead = instead;
        }

        Kill("Token rest-61");
        await _chat.Sessions.LogoutAsync(User);
        await using var back = await LoginAgainAsync();

        var output = new StringWriter { NewLine = "\n" };
        await DeadLettersCommand.RunAsync(_chat.Node.Services.GetRequiredService<RedisOptions>(), ["retry"], output);

        output.ToString().Should().Be("1 retried\n");
        (await _chat.Quantum.WaitForSavedAsync(1)).Should().ContainSingle().Which.Authorization.Should().Be("Token new-61");
    }

    private async Task SayAndLogOutAsync(params string[] identifiers)
    {
        await using var sender = await _chat.LoginAsync(User, 870);
        Kill("Token rest-61");
        foreach (var identifier in identifiers)
        {
            await sender.SayAsync(870, identifier);
        }

        await _chat.Sessions.LogoutAsync(User);
    }

    private async Task<ChatPeer> LoginAgainAsync()
    {
        var key = $"again_{TestSessions.Company}_{User}";
        await _chat.Sessions.StoreAsync(key, TestSessions.Record(User).Replace("rest-", "new-", StringComparison.Ordinal));
        return await ChatPeer.LoginAsync(_chat.Node.Url, TestSessions.Token(key));
    }

    private void Kill(string authorization)
    {
        lock (_dead)
        {
            _dead.Add(authorization);
        }
    }
}
