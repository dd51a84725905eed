using System.Text;
using System.Text.Json;
using ChatServer.Protocol;

namespace ChatServer.Tests.Protocol;

public sealed class ClientFrameParserTests
{
    [Theory]
    [InlineData("{\"type\":\"ping\"}", "Ping")]
    [InlineData(" \r\n\t{ \"type\" : \"ping\" } ", "Ping")]
    [InlineData("{\"type\":\"join\",\"room_id\":12,\"since\":480,\"epoch\":\"k3\"}", "Join")]
    [InlineData("{\"type\":\"leave\",\"room_id\":9007199254740991}", "Leave")]
    [InlineData("{\"type\":\"chat\",\"room_id\":1,\"identifier\":\"a\",\"body\":\"b\"}", "Chat")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{\"room_id\":12}]}", "Auth")]
    [InlineData("{\"type\":\"\\u0070ing\"}", "Ping")]
    [InlineData("{\"ty\\u0070e\":\"ping\"}", "Ping")]
    [InlineData("{\"type\":\"dance\"}", "Unknown")]
    [InlineData("{\"type\":\"PING\"}", "Unknown")]
    [InlineData("{\"x\":{\"type\":\"chat\"},\"type\":\"ping\",\"y\":[[[{}]]]}", "Ping")]
    [InlineData("{\"type\":\"chat\",\"type\":\"ping\"}", "Ping")]
    [InlineData("{\"type\":\"join\",\"room_id\":1,\"since\":null,\"epoch\":null,\"user_id\":null,\"company_id\":null}", "Join")]
    [InlineData("{\"type\":\"ping\",\"x\":\"\\ud800\"}", "Ping")]
    public void Parse_SoundFrames_HaveNoProblem(string json, string type)
    {
        var frame = ClientFrameParser.Parse(Encoding.UTF8.GetBytes(json), out var problem);

        problem.Should().BeNull();
        frame.Type.ToString().Should().Be(type);
    }

    [Fact]
    public void Parse_AFilesNameOrTypeHasHalfOfAPair_ShowsWhenItIsUnescaped()
    {
        var frame = ClientFrameParser.Parse("""{"type":"file","name":"a\ud800","content_type":"\udc00","size":5}"""u8, out var problem);

        problem.Should().BeNull();
        frame.Name.TryUnescape(out _).Should().BeFalse();
        frame.ContentType.TryUnescape(out _).Should().BeFalse();
        frame.Size.Should().Be(5);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("x")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"ping\"")]
    [InlineData("12")]
    [InlineData("{}")]
    [InlineData("{\"type\":\"\"}")]
    [InlineData("{\"type\":5}")]
    [InlineData("{\"type\":{\"type\":\"ping\"}}")]
    [InlineData("{\"type\":null}")]
    [InlineData("{\"type\":\"ping\"")]
    [InlineData("{\"type\":\"ping\"}{}")]
    [InlineData("{\"type\":\"ping\"} x")]
    [InlineData("{\"type\":\"ping\",}")]
    [InlineData("{'type':'ping'}")]
    [InlineData("{\"type\":\"pi\nng\"}")]
    [InlineData("{\"type\":\"ping\"/**/}")]
    [InlineData("{\"type\":\"join\",\"room_id\":\"12\"}")]
    [InlineData("{\"type\":\"join\",\"room_id\":0}")]
    [InlineData("{\"type\":\"join\",\"room_id\":-1}")]
    [InlineData("{\"type\":\"join\",\"room_id\":1.5}")]
    [InlineData("{\"type\":\"join\",\"room_id\":12.0}")]
    [InlineData("{\"type\":\"join\",\"room_id\":1e3}")]
    [InlineData("{\"type\":\"join\",\"room_id\":9007199254740992}")]
    [InlineData("{\"type\":\"join\",\"room_id\":99999999999999999999999999999999999}")]
    [InlineData("{\"type\":\"join\",\"room_id\":1e999}")]
    [InlineData("{\"type\":\"join\",\"room_id\":01}")]
    [InlineData("{\"type\":\"join\",\"room_id\":[12]}")]
    [InlineData("{\"type\":\"join\",\"room_id\":null}")]
    [InlineData("{\"type\":\"join\",\"room_id\":true}")]
    [InlineData("{\"type\":\"join\",\"room_id\":1,\"since\":-1}")]
    [InlineData("{\"type\":\"join\",\"room_id\":1,\"since\":\"480\"}")]
    [InlineData("{\"type\":\"join\",\"room_id\":1,\"epoch\":5}")]
    [InlineData("{\"type\":\"chat\",\"room_id\":1,\"identifier\":\"\",\"body\":\"b\"}")]
    [InlineData("{\"type\":\"chat\",\"room_id\":1,\"identifier\":7,\"body\":\"b\"}")]
    [InlineData("{\"type\":\"chat\",\"room_id\":1,\"identifier\":null,\"body\":\"b\"}")]
    [InlineData("{\"type\":\"chat\",\"room_id\":1,\"identifier\":\"a\",\"body\":\"\"}")]
    [InlineData("{\"type\":\"chat\",\"room_id\":1,\"identifier\":\"a\",\"body\":{\"x\":1}}")]
    [InlineData("{\"type\":\"chat\",\"room_id\":1,\"identifier\":\"a\",\"body\":\"\\ud800\"}")]
    [InlineData("{\"type\":\"chat\",\"room_id\":1,\"identifier\":\"\\udc00\",\"body\":\"b\"}")]
    [InlineData("{\"type\":\"auth\",\"token\":5}")]
    public void Parse_BadFrames_SayWhatIsWrong(string json)
    {
        ClientFrameParser.Parse(Encoding.UTF8.GetBytes(json), out var problem);

        problem.Should().NotBeNullOrEmpty().And.NotContain("\n");
    }

    [Fact]
    public void Parse_Strings_StaySlicesAndUnescape()
    {
        var frame = Parse(
            "{\"type\":\"chat\",\"room_id\":12,\"identifier\":\"\\u0061\\\"\\ud83d\\ude00\",\"body\":\"ü\\n\",\"epoch\":\"k3\",\"since\":0}");

        Encoding.UTF8.GetString(frame.Identifier.Raw).Should().Be("\\u0061\\\"\\ud83d\\ude00");
        frame.Identifier.Unescape().Should().Be("a\"😀");
        Encoding.UTF8.GetString(frame.Body.Raw).Should().Be("ü\\n");
        frame.Body.Unescape().Should().Be("ü\n");
        (frame.RoomId, frame.Since, frame.Epoch.Unescape()).Should().Be((12, 0, "k3"));
        frame.UserId.Should().BeNull();
        frame.CompanyId.Should().BeNull();
    }

    [Fact]
    public void Parse_ABadMember_StillTellsRoomAndIdentifierWhereverTheyStand()
    {
        var frame = ClientFrameParser.Parse("{\"type\":\"chat\",\"body\":7,\"identifier\":\"a1\",\"room_id\":12}"u8, out var problem);

        problem.Should().Contain("body");
        (frame.RoomId, frame.Identifier.Unescape()).Should().Be((12, "a1"));
    }

    [Fact]
    public void Parse_ABadRoomOrIdentifier_IsNotTold()
    {
        var frame = ClientFrameParser.Parse("{\"type\":\"chat\",\"room_id\":-5,\"identifier\":7}"u8, out _);

        frame.RoomId.Should().Be(0);
        frame.Identifier.IsEmpty.Should().BeTrue();
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void Parse_IdentifierLength_CountsUtf16AsBrowsersDo(int length, bool sound)
    {
        foreach (var one in (string[])["a", "ü", "\\u00fc"])
        {
            ClientFrameParser.Parse(Chat(string.Concat(Enumerable.Repeat(one, length)), "b"), out var problem);
            (problem is null).Should().Be(sound, one);
        }

        ClientFrameParser.Parse(Chat(string.Concat(Enumerable.Repeat("😀", length / 2)), "b"), out var pairs);
        pairs.Should().BeNull("a pair counts two");
        ClientFrameParser.Parse(Chat(string.Concat(Enumerable.Repeat("😀", 65)), "b"), out pairs);
        pairs.Should().NotBeNull();
    }

    [Theory]
    [InlineData("7", 7L)]
    [InlineData("\"7\"", 7L)]
    [InlineData("-7", -7L)]
    [InlineData("null", null)]
    [InlineData("7.5", -1L)]
    [InlineData("\"7x\"", -1L)]
    [InlineData("\"\"", -1L)]
    [InlineData("true", -1L)]
    [InlineData("[7]", -1L)]
    [InlineData("{\"id\":7}", -1L)]
    [InlineData("99999999999999999999", -1L)]
    public void Parse_Claims_AreReadAsOldFrontEndsSendThem(string value, long? expected)
    {
        var frame = Parse($"{{\"type\":\"ping\",\"user_id\":{value},\"company_id\":{value}}}");

        (frame.UserId, frame.CompanyId).Should().Be((expected, expected));
    }

    [Theory]
    [InlineData(60, true)]
    [InlineData(65, false)]
    [InlineData(30_000, false)]
    public void Parse_DeepNesting_IsBounded(int depth, bool sound)
    {
        var json = $"{{\"type\":\"ping\",\"x\":{new string('[', depth)}{new string(']', depth)}}}";

        ClientFrameParser.Parse(Encoding.UTF8.GetBytes(json), out var problem);

        (problem is null).Should().Be(sound);
    }

    [Fact]
    public void Parse_BytesThatAreNoUtf8_AreAProblem()
    {
        ClientFrameParser.Parse([.. "{\"type\":\"ping\",\"body\":\""u8, 0xC3, 0x28, .. "\"}"u8], out _);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Parse_Fuzzed_NeverThrowsAndAgreesWithTheLibraryOnWhatIsJson(int seed)
    {
        var random = new Random(seed);
        byte[][] seeds =
        [
            Encoding.UTF8.GetBytes(
                "{\"type\":\"chat\",\"room_id\":12,\"identifier\":\"a\\u00fc\\ud83d\\ude00\",\"body\":\"hü\\n\",\"user_id\":\"7\"}"),
            Encoding.UTF8.GetBytes("{\"type\":\"join\",\"room_id\":12,\"since\":480,\"epoch\":\"k3\",\"x\":[1,{\"y\":null}]}"),
            Encoding.UTF8.GetBytes("{\"type\":\"auth\",\"token\":\"abc\",\"rooms\":[{\"room_id\":12,\"since\":1}]}"),
        ];
        var interesting = "\"\\{}[]:,0-9eE.u d8\u0000nt"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = seeds[random.Next(seeds.Length)].ToList();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var at = random.Next(bytes.Count);
                switch (random.Next(3))
                {
                    case 0:
                        bytes[at] = random.Next(4) == 0 ? (byte)random.Next(256) : interesting[random.Next(interesting.Length)];
                        break;
                    case 1:
                        bytes.RemoveAt(at);
                        break;
                    default:
                        bytes.Insert(at, interesting[random.Next(interesting.Length)]);
                        break;
                }
            }

            var json = bytes.ToArray();
            var frame = ClientFrameParser.Parse(json, out var problem);
            if (problem is null)
            {
                Assert.True(IsObject(json), "only JSON objects are sound");
                _ = frame.TypeName.Unescape();
                _ = frame.Identifier.Unescape();
                _ = frame.Body.Unescape();
                _ = frame.Epoch.Unescape();
                _ = frame.Token.Unescape();
                Assert.InRange(frame.RoomId, 0, RoomKey.MaxRoomId);
            }
        }
    }

    private static ClientFrame Parse(string json)
    {
        var frame = ClientFrameParser.Parse(Encoding.UTF8.GetBytes(json), out var problem);
        problem.Should().BeNull();
        return frame;
    }

    private static byte[] Chat(string identifier, string body) =>
        Encoding.UTF8.GetBytes($"{{\"type\":\"chat\",\"room_id\":12,\"identifier\":\"{identifier}\",\"body\":\"{body}\"}}");

    private static bool IsObject(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
