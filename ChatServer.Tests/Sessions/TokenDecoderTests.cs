using System.Text;
using ChatServer.Sessions;

namespace ChatServer.Tests.Sessions;

public sealed class TokenDecoderTests
{
    private static readonly SessionKey Key = new("k8zq1w2e3r4t5y6u7i8o9p0a1s2d3f4g", 3, 7);

    [Theory]
    [InlineData("k8zq1w2e3r4t5y6u7i8o9p0a1s2d3f4g", 3, 7)]
    [InlineData("a", 1, 1)]
    [InlineData("a_b", 12, 345)]
    [InlineData("~~~???>>>", 3, 7)]
    [InlineData("x", long.MaxValue, long.MaxValue)]
    public void TryDecode_EitherFormAndAlphabetWithAndWithoutPadding_GivesTheKey(string session, long companyId, long userId)
    {
        var key = new SessionKey(session, companyId, userId);
        var tail = Base64($"{companyId}_{userId}");

        foreach (var token in new[] { Base64(key.ToString()), $"{session}_{tail}" })
        {
            Decode(token).Should().Be(key);
            Decode(token.TrimEnd('=')).Should().Be(key);
        }

        Decode(Base64(key.ToString()).Replace('+', '-').Replace('/', '_')).Should().Be(key);
        Decode(Base64(key.ToString()).Replace('+', '-').Replace('/', '_').TrimEnd('=')).Should().Be(key);
    }

    [Fact]
    public void TryDecode_Alphabets_AreBothNeededByTheTestAbove() =>
        Base64(new SessionKey("~~~???>>>", 3, 7).ToString()).Should().Contain("/").And.Contain("+");

    [Theory]
    [InlineData("abc_MV83", "abc", 1, 7)]
    [InlineData("a_b_MV83", "a_b", 1, 7)]
    [InlineData("abc_5_MV83", "abc_5", 1, 7)]
    [InlineData("abc__MV83", "abc_", 1, 7)]
    [InlineData("MV83_MV83", "MV83", 1, 7)]
    public void TryDecode_OlderForm_SplitsAtTheLastUnderscore(string token, string session, long companyId, long userId) =>
        Decode(token).Should().Be(new SessionKey(session, companyId, userId));

    [Theory]
    [InlineData("")]
    [InlineData("=")]
    [InlineData("====")]
    [InlineData("_")]
    [InlineData("abc")]
    [InlineData("abc_3_7")]
    [InlineData("_MV83")]
    [InlineData("abc_")]
    [InlineData("abc_====")]
    [InlineData("abcMV83")]
    [InlineData("abc_MV8")]
    [InlineData("abc_MV83=")]
    [InlineData("abc_MV83 ")]
    [InlineData("abc_MV 83")]
    [InlineData("abc_MV%383")]
    [InlineData(" abc_MV83")]
    [InlineData("a:c_MV83")]
    [InlineData("chat:control_MV83")]
    [InlineData("é_MV83")]
    [InlineData("a\0_MV83")]
    [InlineData("a\u007f_MV83")]
    [InlineData("{\"type\":\"auth\"}")]
    [InlineData("../../etc/passwd")]
    public void TryDecode_NeitherForm_IsRefused(string token) => Decode(token).Should().BeNull();

    [Theory]
    [InlineData("abc")]
    [InlineData("3_7")]
    [InlineData("_3_7")]
    [InlineData("abc_0_7")]
    [InlineData("abc_3_-7")]
    [InlineData("abc_03_7")]
    [InlineData("abc_3_7\n")]
    [InlineData("abc_3_7_x")]
    [InlineData("chat:control_3_7")]
    [InlineData("chat:{5}:room:12_3_7")]
    [InlineData("a b_3_7")]
    [InlineData("é_3_7")]
    [InlineData("a\0_3_7")]
    [InlineData("a_3_7\0")]
    public void TryDecode_Base64OfNoSessionKey_IsRefused(string text) => Decode(Base64(text)).Should().BeNull();

    [Theory]
    [InlineData("3_7_9")]
    [InlineData("37")]
    [InlineData("0_7")]
    [InlineData("3_07")]
    [InlineData("3_ 7")]
    [InlineData("x_3_7")]
    [InlineData("_7")]
    public void TryDecode_OlderFormWithAnotherTail_IsRefused(string tail) => Decode($"abc_{Base64(tail)}").Should().BeNull();

    [Fact]
    public void TryDecode_MixedAlphabets_IsRefused()
    {
        var token = Base64(new SessionKey("~~~???>>>", 3, 7).ToString());
        var plus = token.IndexOf('+', StringComparison.Ordinal);

        Decode(token[..plus] + "-" + token[(plus + 1)..]).Should().BeNull();
    }

    [Theory]
    [InlineData("abcde_3_7", 0)]
    [InlineData("abcd_3_7", 1)]
    [InlineData("abc_3_7", 2)]
    public void TryDecode_WrongPadding_IsRefused(string text, int padding)
    {
        var token = Base64(text).TrimEnd('=');

        for (var count = 0; count <= 4; count++)
        {
            (Decode(token + new string('=', count)) is not null).Should()
                .Be(count == 0 || count == padding, $"{count} in place of {padding}");
        }

        Decode("=" + token).Should().BeNull();
    }

    [Fact]
    public void TryDecode_BitsBeyondTheLastByte_AreRefused()
    {
        Decode(Base64("abc_3_7")).Should().NotBeNull().And.Be(Decode("YWJjXzNfNw=="));
        Decode("YWJjXzNfNx==").Should().BeNull();
        Decode("YWJjXzNfNx").Should().BeNull();
    }

    [Theory]
    [InlineData(256, true)]
    [InlineData(257, false)]
    [InlineData(4000, false)]
    public void TryDecode_LongSession_HasALimitInBothForms(int length, bool good)
    {
        var key = new SessionKey(new string('a', length), long.MaxValue, long.MaxValue);

        (Decode(Base64(key.ToString())) == key).Should().Be(good);
        (Decode($"{key.Session}_{Base64($"{key.CompanyId}_{key.UserId}")}") == key).Should().Be(good);
    }

    [Fact]
    public void TryDecode_Forms_NeverOverlap()
    {
        var random = new Random(4711);
        var visible = Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => c is not (':' or '{' or '}')).ToArray();
        for (var round = 0; round < 50_000; round++)
        {
            // Sessions that decode to ASCII as far as they can make the hardest case.
            var session = round % 2 == 0
                ? new string(random.GetItems(visible, random.Next(1, 12)))
                : Base64(new string(random.GetItems<char>("ab_1?", random.Next(1, 12)))).TrimEnd('=').Replace('/', '_');
            var key = new SessionKey(session, random.Next(1, 1000), random.Next(1, 1000));
            var older = $"{session}_{Base64($"{key.CompanyId}_{key.UserId}")}";

            Decode(older).Should().Be(key);
            Decode(Base64(key.ToString())).Should().Be(key);
        }
    }

    [Fact]
    public void TryDecode_AnyBytes_NeverThrowsAndReachesOnlySessionKeys()
    {
        var random = new Random(815);
        var good = Encoding.ASCII.GetBytes(Base64(Key.ToString()));
        for (var round = 0; round < 100_000; round++)
        {
            var token = good.ToArray();
            if (round % 3 == 0)
            {
                token = new byte[random.Next(500)];
                random.NextBytes(token);
            }

            for (var changes = random.Next(4); changes > 0 && token.Length > 0; changes--)
            {
                token[random.Next(token.Length)] = (byte)random.Next(256);
            }

            if (TokenDecoder.TryDecode(token, out var key))
            {
                SessionKey.TryParse(key.ToString(), out var again).Should().BeTrue();
                again.Should().Be(key);
            }
        }
    }

    private static SessionKey? Decode(string token) => TokenDecoder.TryDecode(Encoding.UTF8.GetBytes(token), out var key) ? key : null;

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
