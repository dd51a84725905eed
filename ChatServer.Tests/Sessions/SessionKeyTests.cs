using ChatServer.Sessions;

namespace ChatServer.Tests.Sessions;

public sealed class SessionKeyTests
{
    [Theory]
    [InlineData("abc_3_7", "abc", 3, 7)]
    [InlineData("a_b_c_3_7", "a_b_c", 3, 7)]
    [InlineData("___3_7", "__", 3, 7)]
    [InlineData("1_2_3", "1", 2, 3)]
    [InlineData("1_2_3_4", "1_2", 3, 4)]
    [InlineData("a-b.c~?/+=_3_7", "a-b.c~?/+=", 3, 7)]
    [InlineData("a_9223372036854775807_9223372036854775807", "a", long.MaxValue, long.MaxValue)]
    public void TryParse_Key_RoundTrips(string text, string session, long companyId, long userId)
    {
        SessionKey.TryParse(text, out var key).Should().BeTrue();

        key.Should().Be(new SessionKey(session, companyId, userId));
        key!.ToString().Should().Be(text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("_")]
    [InlineData("__")]
    [InlineData("abc")]
    [InlineData("abc_3")]
    [InlineData("3_7")]
    [InlineData("_3_7")]
    [InlineData("abc_3_")]
    [InlineData("abc__7")]
    [InlineData("abc_3_7_")]
    [InlineData("abc_0_7")]
    [InlineData("abc_3_0")]
    [InlineData("abc_03_7")]
    [InlineData("abc_3_07")]
    [InlineData("abc_+3_7")]
    [InlineData("abc_3_-7")]
    [InlineData("abc_ 3_7")]
    [InlineData("abc_3_7 ")]
    [InlineData("abc_3_7\n")]
    [InlineData("abc_3_7\0")]
    [InlineData("abc_3.0_7")]
    [InlineData("abc_3_7e1")]
    [InlineData("abc_3_0x7")]
    [InlineData("abc_3_٧")]
    [InlineData("abc_3_9223372036854775808")]
    [InlineData("a b_3_7")]
    [InlineData("a\tb_3_7")]
    [InlineData("a\u007f_3_7")]
    [InlineData("é_3_7")]
    [InlineData("chat:x_3_7")]
    [InlineData("chat:{12}:log_3_7")]
    [InlineData(":1:views.cache_3_7")]
    [InlineData("a{b_3_7")]
    public void TryParse_AnythingElse_IsRefused(string text)
    {
        SessionKey.TryParse(text, out var key).Should().BeFalse();

        key.Should().BeNull();
    }

    [Theory]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public void TryParse_LongSession_HasALimit(int length, bool good) =>
        SessionKey.TryParse(new string('a', length) + "_3_7", out _).Should().Be(good);

    [Fact]
    public void TryParse_AnyText_IsRefusedOrRoundTrips()
    {
        const string alphabet = "__0137a-+ :";
        var random = new Random(4711);
        var parsed = 0;
        for (var round = 0; round < 100_000; round++)
        {
            var text = new string(random.GetItems<char>(alphabet, random.Next(14)));
            if (SessionKey.TryParse(text, out var key))
            {
                parsed++;
                key.ToString().Should().Be(text);
                key.CompanyId.Should().BePositive();
                key.UserId.Should().BePositive();
            }
        }

        parsed.Should().BeGreaterThan(100);
    }
}
