using System.Buffers.Text;
using System.Text;
using ChatServer.Configuration;
using ChatServer.Sessions;
using ChatServer.Tests.Fuzz.Support;

namespace ChatServer.Tests.Fuzz.Targets;

/// <summary>Tokens: a key that is found has one name, by which it is found again.</summary>
internal sealed class SessionTokens : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        "YWJjXzNfNw==", "YWJjXzNfNw", "abc_M183", "k8zq1w2e3r4t5y6u7i8o9p0a1s2d3f4g_M183", "Pz8_XzNfNw==", "Pz8/XzNfNw==");

    public override bool ReturnsBuffers => true;

    public override void Take(byte[] input, Random random)
    {
        if (TokenDecoder.TryDecode(input, out var key))
        {
            var name = key.ToString();
            Assert.True(SessionKey.TryParse(name, out var parsed) && parsed == key, "it is a session's name");
            Assert.True(
                TokenDecoder.TryDecode(Encoding.ASCII.GetBytes(Base64Url.EncodeToString(Encoding.ASCII.GetBytes(name))), out var again)
                && again == key,
                "its own token finds it");
        }
    }
}

/// <summary>A session's value, stored in each of the three ways: a record or a fault, and never another user's.</summary>
internal sealed class SessionRecords : FuzzTarget
{
    private static readonly SessionKey Key = new("abc", 3, 7);
    private static readonly byte[] FernetKey = [.. Enumerable.Range(0, Fernet.KeyLength).Select(i => (byte)i)];
    private static readonly Fernet Fernet = new([FernetKey], TimeProvider.System);

    private readonly SessionRecordReader _plain = new(new SessionOptions(), TimeProvider.System);

    private readonly SessionRecordReader _base64 =
        new(new SessionOptions { Encryption = SessionEncryption.Base64 }, TimeProvider.System);

    private readonly SessionRecordReader _fernet =
        new(new SessionOptions { Encryption = SessionEncryption.Fernet, FernetKeys = [FernetKey] }, TimeProvider.System);

    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        """{"token_key":"rest-7","user":{"id":7},"company":{"id":3},"room_ids":[12,15,"16"]}""",
        """{"token_key":"rest-7","user_id":"7","company_id":3,"user":null,"x":"\u00fc"}""",
        """{"token_key":"\u0072est","user":{"id":7,"name":"ü"},"user_id":7,"company":{"id":"3"},"room_ids":null}""");

    public override void Take(byte[] input, Random random)
    {
        var isRecord = Read(_plain, input);
        if (random.Next(4) == 0)
        {
            Assert.Equal(isRecord, Read(_base64, Encoding.ASCII.GetBytes(Convert.ToBase64String(input))));
            Assert.Equal(isRecord, Read(_fernet, Encoding.ASCII.GetBytes(Fernet.Encrypt(input))));
            Read(_base64, input);
            Read(_fernet, input);
        }
    }

    private static bool Read(SessionRecordReader reader, byte[] value)
    {
        var isRecord = reader.TryRead(value, Key, out var record, out var fault);
        Assert.True(isRecord == record is not null && isRecord == (fault == SessionFault.None), "a record or a fault");
        Assert.True(record?.TokenKey.All(c => c is > ' ' and <= '~') != false, "the token may stand in a header");
        Assert.True(record?.RoomIds?.All(room => room > 0) != false, "rooms are positive");
        return isRecord;
    }
}

/// <summary>Fernet tokens: a changed one is refused, or it is the same token written in another way.</summary>
internal sealed class FernetTokens : FuzzTarget
{
    private static readonly byte[][] Messages = [.. Texts.Utf8("", "hello", new string('x', 100))];

    private static readonly byte[] FernetKey = [.. Enumerable.Range(0, Fernet.KeyLength).Select(i => (byte)(i * 3))];
    private static readonly byte[] NewerKey = [.. Enumerable.Repeat((byte)9, Fernet.KeyLength)];
    private static readonly Fernet Fernet = new([NewerKey, FernetKey], TimeProvider.System);

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        .. Messages.Select(
            (message, i) => Encoding.ASCII.GetBytes(new Fernet([FernetKey], TimeProvider.System).Encrypt(message, new byte[16]))),
    ];

    public override bool ReturnsBuffers => true;

    public override void Take(byte[] input, Random random)
    {
        if (Fernet.TryDecrypt(input, random.Next(2) == 0 ? null : TimeSpan.FromHours(1), out var message))
        {
            Assert.Contains(Messages, known => known.AsSpan().SequenceEqual(message));
        }
    }
}

/// <summary>A .env file: settings, and mistakes that name lines and nothing of what stands there.</summary>
internal sealed class DotEnvFiles : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        "A=1\nexport B = 'x y' # why\r\nC=\"a\\n\\\"b\\\"\nc\"\n# comment\nD=#1\nE= x #2\n", "\uFEFFA='it\\'s'\rB=${A}\r\n\r\nC",
        "A=\"never closed\nB=2\n", "export\texport=1\n=x\nA.b-c_d=\n");

    public override void Take(byte[] input, Random random)
    {
        var text = Encoding.UTF8.GetString(input);
        var file = DotEnvText.Parse(text);

        var lines = 1 + text.Count(c => c is '\n' or '\r');
        Assert.True(file.Settings.Count + file.Mistakes.Count <= lines, "a line brings one thing");
        foreach (var mistake in file.Mistakes)
        {
            var words = mistake.Split(' ', 3);
            Assert.True(int.TryParse(words[2].AsSpan(0, words[2].IndexOf(':')), out var line), "a line has a number");
            Assert.True(line >= 1 && line <= lines, "it is there");
        }

        foreach (var name in file.Settings.Keys)
        {
            Assert.True(name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'), "a name is a name");
        }
    }
}
