using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Tests.Fuzz.Support;
using ChatServer.Users;

namespace ChatServer.Tests.Fuzz.Targets;

/// <summary>What comes on a user's channel: what is passed on is JSON objects in frames that no browser closes for.</summary>
internal sealed class UserFrames : FuzzTarget
{
    /// <summary>What is wrapped is deeper than what may come.</summary>
    private const int MostDepth = 64 + 2;

    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        """{"type":"chat","body":"ü"}""", """{"type":"chat","messages":[{"a":"\ud83d\ude00"}]}""",
        """[{"type":"a","x":[1,{"y":"]"}]},{"type":"chat","body":"b"} , {"type":"ü"}]""", """ {"a":[],"type":"x"} """);

    public override void Take(byte[] input, Random random)
    {
        if (UserFrame.ReadAll(input) is not { } frames)
        {
            return;
        }

        for (var rest = frames.AsSpan(); !rest.IsEmpty;)
        {
            var wide = rest[1] switch { 126 => 2, 127 => 8, _ => 0 };
            var length = wide == 2 ? (rest[2] << 8) | rest[3] : rest[1];
            Assert.True(rest[0] == 0x81 && wide < 8, "a whole text");
            var json = rest.Slice(2 + wide, length).ToArray();
            Assert.True(System.Text.Unicode.Utf8.IsValid(json), "UTF-8");
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MostDepth });
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
            rest = rest[(2 + wide + length)..];
        }
    }
}

/// <summary>Quantum's orders: read, or none.</summary>
internal sealed class ControlOrders : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        """{"type":"logout","key":"abc_3_7"}""", """{"type":"disconnect","user_id":7,"company_id":3}""",
        """{"type":"members_changed","company_id":3,"room_id":12,"x":{"y":[1]}}""");

    public override void Take(byte[] input, Random random) => ControlChannel.Read(input);
}

/// <summary>Quantum's answers: an outcome that can be told to clients, or QuantumUnavailableException.</summary>
internal sealed class QuantumAnswers : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        """{"success":true,"message":{"id":9,"timestamp":"t"},"message_date":"d","message_time":"m","user_ids":[1,2,"3"]}""",
        """{"success":true,"results":[{"success":true,"message":{"id":"x"}},{"success":false,"message":"no"}]}""",
        """{"success":true,"user_ids":[1,2,3]}""", """{"success":false,"message":"not a member","detail":"d"}""");

    public override void Take(byte[] input, Random random)
    {
        JsonElement answer;
        try
        {
            using var document = JsonDocument.Parse(input);
            answer = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return;
        }

        QuantumAnswer.Words(answer);
        Expect(() => QuantumAnswer.ReadMembers(answer));
        Expect(() => Tell(QuantumAnswer.ReadSave(answer)));
        Expect(() =>
        {
            if (QuantumAnswer.ReadSaves(answer, 2) is BatchOutcome.Answered { Results: var outcomes })
            {
                Assert.Equal(2, outcomes.Count);
                outcomes.ToList().ForEach(Tell);
            }
        });
    }

    private static void Tell(SaveOutcome outcome)
    {
        if (outcome is SaveOutcome.Saved saved)
        {
            JsonSerializer.SerializeToUtf8Bytes(
                new SavedFrame("saved", 12, [new SavedMessage(5, "id", saved.Id)]), ProtocolJson.Default.SavedFrame);
        }
    }

    private static void Expect(Action read)
    {
        try
        {
            read();
        }
        catch (QuantumUnavailableException)
        {
            // As documented.
        }
    }
}
