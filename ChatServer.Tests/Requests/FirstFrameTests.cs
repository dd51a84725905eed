using System.Text;
using ChatServer.Requests;

namespace ChatServer.Tests.Requests;

public sealed class FirstFrameTests
{
    [Theory]
    [InlineData("YWJj", "YWJj")]
    [InlineData("  YWJj\r\n", "YWJj")]
    [InlineData("", "")]
    [InlineData("12", "12")]
    [InlineData("[1]", "[1]")]
    [InlineData("{not json", "{not json")]
    [InlineData("{\"type\":\"auth\",\"token\":\"YWJj\"}", "YWJj")]
    [InlineData(" {\"token\":\"\\u0059WJj\",\"type\":\"auth\",\"x\":{}} ", "YWJj")]
    public void Read_ATokenBareOrInAnAuthFrame_IsTaken(string text, string token)
    {
        var first = FirstFrame.Read(Encoding.UTF8.GetBytes(text), out var problem);

        problem.Should().BeNull();
        Encoding.UTF8.GetString(first!.Token).Should().Be(token);
        first.Rooms.Should().BeEmpty();
    }

    [Fact]
    public void Read_Rooms_AreKeptInOrderOnceEach()
    {
        var first = FirstFrame.Read(
            """{"type":"auth","token":"t","rooms":[{"room_id":12,"since":480,"epoch":"k3","x":1},{"room_id":5},{"room_id":12}]}"""u8,
            out _);

        first!.Rooms.Select(room => (room.RoomId, room.Since, room.Epoch)).Should().Equal((12, 480L, "k3"), (5, null, null));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"type\":\"auth\"}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"\"}")]
    [InlineData("{\"type\":\"auth\",\"token\":7}")]
    [InlineData("{\"type\":\"chat\",\"token\":\"t\"}")]
    [InlineData("{\"token\":\"t\"}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":12}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":{}}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[12]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[null]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{\"room_id\":0}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{\"room_id\":\"12\"}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{\"room_id\":9007199254740992}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{\"room_id\":1,\"since\":-1}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{\"room_id\":1,\"since\":1.5}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{\"room_id\":1,\"epoch\":5}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"t\",\"rooms\":[{\"room_id\":1,\"epoch\":\"\\ud800\"}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"\\ud800\"}")]
    public void Read_AnObjectThatIsNoSoundAuth_IsRefusedWithWords(string text)
    {
        FirstFrame.Read(Encoding.UTF8.GetBytes(text), out var problem).Should().BeNull();

        problem.Should().NotBeNullOrEmpty();
    }

    [Fact]
    public void Read_Fuzzed_NeverThrows()
    {
        var random = new Random(4);
        var seed = """{"type":"auth","token":"abc","rooms":[{"room_id":12,"since":1,"epoch":"\ud83d\ude00"}]}"""u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var text = (byte[])seed.Clone();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                text[random.Next(text.Length)] = "\"\\{}[]:,0-9eE.u d8\u0000nt"u8[random.Next(20)];
            }

            var first = FirstFrame.Read(text, out var problem);
            Assert.Equal(first is null, problem is not null);
        }
    }
}
