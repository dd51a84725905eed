using System.Globalization;
using System.Text;
using ChatServer.Sessions;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Sessions;

/// <summary>With all the vectors of the specification (github.com/fernet/spec: generate.json, verify.json, invalid.json).</summary>
public sealed class FernetTests
{
    private const string Secret = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    private const string Hello = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    private static readonly TimeSpan Minute = TimeSpan.FromSeconds(60);

    [Fact]
    public void Encrypt_GenerateJson_GivesTheToken()
    {
        byte[] iv = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

        At("1985-10-26T01:20:00-07:00", Secret).Encrypt("hello"u8, iv).Should().Be(Hello);
    }

    [Fact]
    public void TryDecrypt_VerifyJson_GivesTheMessage() =>
        Decrypt(At("1985-10-26T01:20:01-07:00", Secret), Hello, Minute).Should().Be("hello");

    [Theory]
    [InlineData("incorrect mac", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==")]
    [InlineData("too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA==")]
    [InlineData("invalid base64", "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==")]
    [InlineData("payload size not multiple of block size",
        "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm")]
    [InlineData(
        "payload padding error", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==")]
    [InlineData("far-future TS (unacceptable clock skew)",
        "gAAAAAAdwStRAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAnja1xKYyhd-Y6mSkTOyTGJmw2Xc2a6kBd-iX9b_qXQcw==")]
    [InlineData("expired TTL", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
        "1985-10-26T01:21:31-07:00")]
    [InlineData("incorrect IV (causes padding error)",
        "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==")]
    [InlineData("trailing characters after b64 padding", Hello + "trailingdata")]
    [InlineData("invalid characters in b64",
        "*gAAAAAAdwJ6wAAECAwQFBgcI!CQoLDA0ODy021?cpGVWKZ_eEwC@GM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==")]
    [InlineData("invalid non-urlsafe characters in b64",
        "gAAAAAAdwJ6wAAEC/AwQFBgcICQoLDA0ODy+021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==")]
    public void TryDecrypt_InvalidJson_IsRefused(string description, string token, string now = "1985-10-26T01:20:01-07:00") =>
        Decrypt(At(now, Secret), token, Minute).Should().BeNull(description);

    [Fact]
    public void TryDecrypt_InvalidJsonsExpiredToken_IsGoodIfAgeDoesNotCount() =>
        Decrypt(At("2030-01-01T00:00:00Z", Secret),
            "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==", null)
            .Should().NotBeNull();

    /// <summary>Made with the Fernet of Python's cryptography 38, at 1700000000.</summary>
    [Theory]
    [InlineData(
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "gAAAAABlU_EAZGVmZ2hpamtsbW5vcHFyc7Ffzd2TxbCQuMux6NqFPda3hZo-blvDwHgraL17Qv0YxnDkUtutE2rbrEQskiznvQ62CSdUqAMCVHbL0qmXrZAWCxev78l0YX1DdBKznkt628zQBzDLrpaiiS_3ziw8nkUa1J51zFNrBDM3EIQKzyo4lUFXocmfqZTY3dyKGJKIEFj_ZWgnkmX_hMoJ7rkKSg==",
        """{"token_key":"0123456789abcdef","user":{"id":7,"name":"Jürgen"},"company":{"id":3},"room_ids":[12,15]}""")]
    [InlineData(
        "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
        "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD8X2hgtOwxebDIO5bvI0MaWQOIniauzD4DaNNGpoKO22m5MFN8Gmg23wr51wEYMN6Q==",
        "")]
    [InlineData(
        "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
        "gAAAAABlU_EAAAECAwQFBgcICQoLDA0ODweEVOFZS1e1aFWsn_8vC5l2wgv3l2eHfMqFn96TglPpzn9sVbk6xXbRYWe4fQsDhG6d_KvXozS3OXZ81QksnVM=",
        "0123456789abcdef")]
    public void TryDecrypt_TokenOfPython_GivesTheMessage(string secret, string token, string message) =>
        Decrypt(At("2030-01-01T00:00:00Z", secret), token, null).Should().Be(message);

    [Theory]
    [InlineData(60, true)]
    [InlineData(61, false)]
    [InlineData(-60, true)]
    [InlineData(-61, false)]
    public void TryDecrypt_WithAnAgeLimit_CountsToTheSecond(int secondsLater, bool good)
    {
        var time = new FakeTimeProvider(Moment("2030-01-01T00:00:00Z"));
        var token = new Fernet([Key(Secret)], time).Encrypt("x"u8);
        var later = new FakeTimeProvider(Moment("2030-01-01T00:00:00Z").AddSeconds(secondsLater));

        (Decrypt(new Fernet([Key(Secret)], later), token, Minute) is not null).Should().Be(good);
    }

    [Fact]
    public void TryDecrypt_AfterRotation_TakesEachKeyAndEncryptsWithTheNewest()
    {
        var (old, renewed) = (Key(Secret), Key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
        var rotated = new Fernet([renewed, old], TimeProvider.System);

        Decrypt(rotated, new Fernet([old], TimeProvider.System).Encrypt("old"u8), null).Should().Be("old");
        Decrypt(new Fernet([renewed], TimeProvider.System), rotated.Encrypt("new"u8), null).Should().Be("new");
        Decrypt(new Fernet([renewed], TimeProvider.System), new Fernet([old], TimeProvider.System).Encrypt("old"u8), null).Should()
            .BeNull();
    }

    [Fact]
    public void Encrypt_Twice_GivesTwoTokens()
    {
        var fernet = At("2030-01-01T00:00:00Z", Secret);

        fernet.Encrypt("x"u8).Should().NotBe(fernet.Encrypt("x"u8));
    }

    [Fact]
    public void TryDecrypt_AnyLength_ComesBackAndAnyChangedCharacterIsRefused()
    {
        var fernet = At("2030-01-01T00:00:00Z", Secret);
        var random = new Random(1);
        for (var length = 0; length < 70; length++)
        {
            var message = new byte[length];
            random.NextBytes(message);
            var token = Encoding.ASCII.GetBytes(fernet.Encrypt(message));

            fernet.TryDecrypt(token, null, out var decrypted).Should().BeTrue();
            decrypted.Should().Equal(message);

            var at = random.Next(token.Length - 3);
            token[at] = token[at] == (byte)'A' ? (byte)'B' : (byte)'A';
            fernet.TryDecrypt(token, null, out _).Should().BeFalse();
        }
    }

    [Fact]
    public void TryDecrypt_AnyBytes_NeverThrows()
    {
        var fernet = At("2030-01-01T00:00:00Z", Secret);
        var random = new Random(4711);
        for (var round = 0; round < 20_000; round++)
        {
            var token = Encoding.ASCII.GetBytes(Hello);
            for (var changes = random.Next(1, 5); changes > 0; changes--)
            {
                token[random.Next(token.Length)] = (byte)random.Next(256);
            }

            FluentActions.Invoking(() => fernet.TryDecrypt(token.AsSpan(random.Next(token.Length)), Minute, out _)).Should().NotThrow();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e")]
    [InlineData("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4AAA==")]
    [InlineData("cw/0x689RpI+jtRR7oE8h/eQsKImvJapLeSbXpwF4e4=")]
    [InlineData("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4==")]
    [InlineData("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4 ")]
    [InlineData("nö")]
    public void TryReadKey_NotThirtyTwoBytes_IsRefused(string text) => Fernet.TryReadKey(text, out _).Should().BeFalse();

    [Theory]
    [InlineData(Secret)]
    [InlineData("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4")]
    public void TryReadKey_PaddedOrNot_IsRead(string text) => Key(text).Should().HaveCount(32);

    [Fact]
    public void Fernet_WithoutAGoodKey_IsNotMade()
    {
        FluentActions.Invoking(() => new Fernet([], TimeProvider.System)).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new Fernet([new byte[31]], TimeProvider.System)).Should().Throw<ArgumentException>();
    }

    private static Fernet At(string now, string secret) => new([Key(secret)], new FakeTimeProvider(Moment(now)));

    private static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static byte[] Key(string secret) => Fernet.TryReadKey(secret, out var key) ? key : throw new FormatException(secret);

    private static string? Decrypt(Fernet fernet, string token, TimeSpan? maxAge) =>
        fernet.TryDecrypt(Encoding.ASCII.GetBytes(token), maxAge, out var message) ? Encoding.UTF8.GetString(message) : null;
}
