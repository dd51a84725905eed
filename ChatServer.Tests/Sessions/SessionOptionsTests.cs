using ChatServer.Sessions;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Sessions;

public sealed class SessionOptionsTests
{
    private const string First = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    private const string Second = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    [Fact]
    public void Read_NothingSet_GivesTheContractsDefaults()
    {
        var reader = TestSettings.Reader();
        var options = SessionOptions.Read(reader);

        options.Should().BeEquivalentTo(new SessionOptions());
        options.Recheck.Should().Be(TimeSpan.FromSeconds(30));
        options.Encryption.Should().Be(SessionEncryption.None);
        reader.Mistakes.Should().BeEmpty();
        reader.KnownNames.Should().BeEquivalentTo("FERNET_KEYS", "QUANTUM_SERVICE_TOKEN", "SESSION_ENCRYPTION", "SESSION_RECHECK");
    }

    [Fact]
    public void Read_Fernet_KeepsTheOrderOfTheKeys()
    {
        var reader = TestSettings.Reader(("SESSION_ENCRYPTION", "fernet"), ("FERNET_KEYS", $"{First}, {Second}"));
        var options = SessionOptions.Read(reader);

        reader.Mistakes.Should().BeEmpty();
        options.Encryption.Should().Be(SessionEncryption.Fernet);
        options.FernetKeys.Should().HaveCount(2);
        options.FernetKeys[1].Should().Equal(Enumerable.Range(0, 32).Select(i => (byte)i));
    }

    [Fact]
    public void Read_FernetWithoutAKey_IsAMistake()
    {
        var reader = TestSettings.Reader(("SESSION_ENCRYPTION", "fernet"));
        SessionOptions.Read(reader);

        reader.Mistakes.Should().Equal("FERNET_KEYS: is not set; SESSION_ENCRYPTION=fernet needs at least one key.");
    }

    [Fact]
    public void Read_BadKey_IsAMistakeThatTellsWhichAndNotWhat()
    {
        var reader = TestSettings.Reader(("SESSION_ENCRYPTION", "fernet"), ("FERNET_KEYS", $"{First},s3cret"));
        SessionOptions.Read(reader);

        reader.Mistakes.Should().Equal("FERNET_KEYS: key 2 of 2 is not 32 bytes in base64url.");
    }

    [Theory]
    [InlineData("SESSION_RECHECK", "0")]
    [InlineData("SESSION_RECHECK", "-5")]
    [InlineData("SESSION_ENCRYPTION", "aes")]
    public void Read_WrongValue_IsAMistake(string name, string value)
    {
        var reader = TestSettings.Reader((name, value));
        SessionOptions.Read(reader);

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith($"{name}: \"{value}\" ");
    }
}
