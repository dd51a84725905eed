using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples;

/// <summary>The Django sample and ChatServer's client agree on what saves many messages, and on whose token does it.</summary>
public sealed class DjangoBatchTests(QuantumDjango quantum) : IClassFixture<QuantumDjango>
{
    private const long Acme = 1;
    private const long General = 1;
    private const long Plans = 2;

    [Fact]
    public async Task SaveMany_OfSeveralRoomsAndUsers_SavesWhatCanBeAndRefusesTheRestInWords()
    {
        var (anna, ben, carla) = (await UserAsync("anna"), await UserAsync("ben"), await UserAsync("carla"));
        await using var parts = Parts();
        StoredMessage[] messages =
        [
            Message("m1", anna, " Grüße\n\U0001F600 "), Message("m2", ben), Message("m3", carla), Message("m4", carla, room: Plans),
            Message("m1", anna, "again"), Message("m5", anna, room: Plans),
        ];

        var results = await SaveAsync(parts, messages, await TokenAsync());

        var ids = results.Select(result => (result as SaveOutcome.Saved)?.Id?.GetInt64()).ToArray();
        ids.Should().Equal(ids[0], ids[1], ids[2], null, ids[0], ids[5]);
        new[] { ids[0], ids[1], ids[2], ids[5] }.Should().OnlyHaveUniqueItems().And.BeInAscendingOrder().And.NotContainNulls();
        results[3].Should().Be(new SaveOutcome.Refused("You are not a member of this room"));
        var saved = results[0].Should().BeOfType<SaveOutcome.Saved>().Subject;
        (saved.Date, saved.UserIds).Should().Be(("Today", null), "a batch from large rooms would carry their lists again and again");
        (await quantum.ManageAsync("shell", "-c", $"from chat.models import Message; print(ascii(Message.objects.get(id={ids[0]}).body))"))
            .Trim().Should().Be(@"' Gr\xfc\xdfe\n\U0001f600 '");
    }

    [Fact]
    public async Task SaveMany_TheSameByTenAtOnce_MakesOneRowOfEach()
    {
        var anna = await UserAsync("anna");
        var token = await TokenAsync();
        await using var parts = Parts();
        var messages = Enumerable.Range(0, 500).Select(n => Message($"crowd-{n}", anna)).ToArray();

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SaveAsync(parts, messages, token)))
            .WaitAsync(TimeSpan.FromSeconds(60));

        answers.Select(answer => string.Join(',', answer.Select(result => ((SaveOutcome.Saved)result).Id))).Distinct()
            .Should().ContainSingle();
        (await quantum.ManageAsync(
            "shell", "-c", "from chat.models import *; print(Message.objects.filter(identifier__startswith='crowd-').count())"))
            .Trim().Should().Be("500");
    }

    [Fact]
    public async Task SaveMany_WithAUsersOwnToken_IsRefused()
    {
        using var anna = await quantum.LogInAsync("anna", Acme);
        var token = (await anna.RecordAsync(quantum.Redis)).GetProperty("token_key").GetString()!;
        await using var parts = Parts();

        (await parts.Client.SaveManyAsync([Message("own", anna.UserId)], token, CancellationToken.None))
            .Should().Be(new BatchOutcome.Refused("This token may not save for others"));
        (await parts.Client.SaveManyAsync([Message("own", anna.UserId)], "nobody", CancellationToken.None))
            .Should().Be(new BatchOutcome.TokenRefused());
    }

    [Fact]
    public async Task Save_WithTheServicesToken_IsTheNamedUsers()
    {
        var ben = await UserAsync("ben");
        await using var parts = Parts();

        var saved = await parts.Client.SaveAsync(Message("single", ben), await TokenAsync(), CancellationToken.None);

        var id = saved.Should().BeOfType<SaveOutcome.Saved>().Subject.Id;
        (await quantum.ManageAsync("shell", "-c", $"from chat.models import Message; print(Message.objects.get(id={id}).user.username)"))
            .Trim().Should().Be("ben");
    }

    private static StoredMessage Message(string identifier, long user, string body = "hello", long room = General) =>
        QuantumParts.Message(identifier, body, room, user) with { CompanyId = Acme };

    private static async Task<IReadOnlyList<SaveOutcome>> SaveAsync(QuantumParts parts, StoredMessage[] messages, string token) =>
        (await parts.Client.SaveManyAsync(messages, token, CancellationToken.None))
            .Should().BeOfType<BatchOutcome.Answered>().Subject.Results;

    private QuantumParts Parts() => new(quantum.Url, TimeSpan.FromSeconds(30), TimeProvider.System);

    private async Task<string> TokenAsync() => (await quantum.ManageAsync("service_token")).Trim();

    private async Task<long> UserAsync(string name)
    {
        using var login = await quantum.LogInAsync(name, Acme);
        return login.UserId;
    }
}
