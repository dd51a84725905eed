using System.Text;
using ChatServer.Sessions;

namespace ChatServer.Tests.Sessions;

public sealed class SessionRecordReaderTests
{
    private const string Good = """{"token_key":"t0k3n","user":{"id":7,"name":"Jürgen"},"company":{"id":3},"room_ids":[12,15]}""";

    private static readonly SessionKey Key = new("abc", 3, 7);
    private static readonly byte[] FernetKey = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] OlderFernetKey = [.. Enumerable.Range(50, 32).Select(i => (byte)i)];

    [Theory]
    [InlineData(Good)]
    [InlineData("""{"token_key":"t0k3n","user_id":7,"company_id":3,"room_ids":[12,15]}""")]
    [InlineData("""{"token_key":"t0k3n","user_id":"7","company_id":"3","room_ids":["12",15]}""")]
    [InlineData("""{"token_key":"t0k3n","user":{"id":"7"},"company":{"id":"3"},"room_ids":[12,12,15,12]}""")]
    [InlineData("""{"token_key":"t0k3n","user":{"id":7},"user_id":7,"company":{"id":3},"company_id":"3","room_ids":[12,15]}""")]
    [InlineData("""{"token_key":"t0k3n","user":"Jürgen","user_id":7,"company":null,"company_id":3,"room_ids":[12,15],"more":{}}""")]
    [InlineData("""  {"token_key":"t0k3n","user":{"id":null},"user_id":7,"company":{},"company_id":3,"room_ids":[12,15]}  """)]
    public void TryRead_Record_IsRead(string json)
    {
        var record = Read(json, out var fault);

        fault.Should().Be(SessionFault.None);
        record!.TokenKey.Should().Be("t0k3n");
        record.RoomIds.Should().Equal(12, 15);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"room_ids\":null")]
    public void TryRead_NoRoomIds_IsNull(string member) =>
        Read($$"""{"token_key":"t","user_id":7,"company_id":3{{member}}}""", out _)!.RoomIds.Should().BeNull();

    [Fact]
    public void TryRead_EmptyRoomIds_AreNoRoomsAndNotNull() =>
        Read("""{"token_key":"t","user_id":7,"company_id":3,"room_ids":[]}""", out _)!.RoomIds.Should().NotBeNull().And.BeEmpty();

    [Fact]
    public void TryRead_GreatestRoomId_IsRead() =>
        Read("""{"token_key":"t","user_id":7,"company_id":3,"room_ids":[9007199254740991]}""", out _)!.RoomIds.Should()
            .Equal(9007199254740991);

    [Theory]
    [InlineData("""{"token_key":"t","user_id":8,"company_id":3}""")]
    [InlineData("""{"token_key":"t","user_id":7,"company_id":4}""")]
    [InlineData("""{"token_key":"t","user_id":3,"company_id":7}""")]
    [InlineData("""{"token_key":"t","user_id":7}""")]
    [InlineData("""{"token_key":"t","company_id":3}""")]
    [InlineData("""{"token_key":"t","user":{"id":7},"user_id":8,"company_id":3}""")]
    [InlineData("""{"token_key":"t","user":{"id":8},"user_id":7,"company_id":3}""")]
    [InlineData("""{"token_key":"t","user":{"id":[7]},"company_id":3}""")]
    [InlineData("""{"token_key":"t","user_id":7.0,"company_id":3}""")]
    [InlineData("""{"token_key":"t","user_id":"07","company_id":3}""")]
    [InlineData("""{"token_key":"t","user_id":" 7","company_id":3}""")]
    [InlineData("""{"token_key":"t","user_id":"","company_id":3}""")]
    [InlineData("""{"token_key":"t","user_id":true,"company_id":3}""")]
    [InlineData("""{"token_key":"t","user_id":7,"company_id":99999999999999999999}""")]
    [InlineData("""{}""")]
    public void TryRead_IdsThatDoNotAgreeWithTheKey_AreRefused(string json) => FaultOf(json).Should().Be(SessionFault.WrongIdentity);

    [Theory]
    [InlineData("")]
    [InlineData("\"token_key\":null,")]
    [InlineData("\"token_key\":\"\",")]
    [InlineData("\"token_key\":7,")]
    [InlineData("\"token_key\":\"a b\",")]
    [InlineData("\"token_key\":\"a\\r\\nX-Evil: 1\",")]
    [InlineData("\"token_key\":\"é\",")]
    public void TryRead_TokenKeyThatCannotBeSent_IsRefused(string member) =>
        FaultOf($$"""{{{member}}"user_id":7,"company_id":3}""").Should().Be(SessionFault.NoTokenKey);

    [Theory]
    [InlineData("12")]
    [InlineData("{}")]
    [InlineData("\"12,15\"")]
    [InlineData("[0]")]
    [InlineData("[-1]")]
    [InlineData("[1.5]")]
    [InlineData("[12,null]")]
    [InlineData("[[12]]")]
    [InlineData("[9007199254740992]")]
    [InlineData("[\"012\"]")]
    public void TryRead_BadRoomIds_AreRefusedAsAWhole(string roomIds) =>
        FaultOf($$"""{"token_key":"t","user_id":7,"company_id":3,"room_ids":{{roomIds}}}""").Should().Be(SessionFault.BadRoomIds);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("\"x\"")]
    [InlineData("not json")]
    [InlineData("{\"token_key\":\"\\ud800\",\"user_id\":7,\"company_id\":3}")]
    [InlineData("gAAAAABlU_EA")]
    public void TryRead_NoJsonObject_IsRefused(string value) => FaultOf(value).Should().Be(SessionFault.NotJson);

    [Fact]
    public void TryRead_NotUtf8_IsRefused()
    {
        byte[] value = [.. "{\"token_key\":\""u8, 0xFF, .. "\",\"user_id\":7,\"company_id\":3}"u8];

        Plain().TryRead(value, Key, out _, out var fault).Should().BeFalse();
        fault.Should().Be(SessionFault.NotJson);
    }

    [Fact]
    public void TryRead_Base64_IsRead()
    {
        var reader = new SessionRecordReader(new SessionOptions { Encryption = SessionEncryption.Base64 }, TimeProvider.System);
        var standard = Convert.ToBase64String(Encoding.UTF8.GetBytes(Good));

        foreach (var value in new[]
        {
            standard,
            standard.TrimEnd('='),
            standard.Replace('+', '-').Replace('/', '_'),
            Convert.ToBase64String(Encoding.UTF8.GetBytes(Good), Base64FormattingOptions.InsertLineBreaks) + "\n",
        })
        {
            reader.TryRead(Encoding.ASCII.GetBytes(value), Key, out var record, out _).Should().BeTrue(value);
            record!.RoomIds.Should().Equal(12, 15);
        }

        reader.TryRead(Encoding.UTF8.GetBytes(Good), Key, out _, out var fault).Should().BeFalse();
        fault.Should().Be(SessionFault.NotBase64);
    }

    [Fact]
    public void TryRead_Fernet_TakesEachKeyAndNoOther()
    {
        var options = new SessionOptions { Encryption = SessionEncryption.Fernet, FernetKeys = [FernetKey, OlderFernetKey] };
        var reader = new SessionRecordReader(options, TimeProvider.System);

        foreach (var key in options.FernetKeys)
        {
            var value = Encoding.ASCII.GetBytes(new Fernet([key], TimeProvider.System).Encrypt(Encoding.UTF8.GetBytes(Good)));
            reader.TryRead(value, Key, out var record, out _).Should().BeTrue();
            record!.TokenKey.Should().Be("t0k3n");
        }

        var foreign = Encoding.ASCII.GetBytes(new Fernet([new byte[32]], TimeProvider.System).Encrypt(Encoding.UTF8.GetBytes(Good)));
        reader.TryRead(foreign, Key, out _, out var fault).Should().BeFalse();
        fault.Should().Be(SessionFault.NotDecryptable);
        reader.TryRead(Encoding.UTF8.GetBytes(Good), Key, out _, out fault).Should()
            .BeFalse("a plain value must not pass if encryption is on");
        fault.Should().Be(SessionFault.NotDecryptable);
    }

    [Theory]
    [InlineData(nameof(SessionEncryption.None))]
    [InlineData(nameof(SessionEncryption.Base64))]
    [InlineData(nameof(SessionEncryption.Fernet))]
    public void TryRead_AnyBytes_NeverThrows(string encryption)
    {
        var options = new SessionOptions { Encryption = Enum.Parse<SessionEncryption>(encryption), FernetKeys = [FernetKey] };
        var reader = new SessionRecordReader(options, TimeProvider.System);
        var random = new Random(4711);
        var good = options.Encryption switch
        {
            SessionEncryption.Base64 => Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(Good))),
            SessionEncryption.Fernet =>
                Encoding.ASCII.GetBytes(new Fernet([FernetKey], TimeProvider.System).Encrypt(Encoding.UTF8.GetBytes(Good))),
            _ => Encoding.UTF8.GetBytes(Good),
        };
        for (var round = 0; round < 20_000; round++)
        {
            var value = good.ToArray();
            for (var changes = random.Next(5); changes > 0; changes--)
            {
                value[random.Next(value.Length)] = (byte)random.Next(256);
            }

            var read = reader.TryRead(
                value.AsMemory(0, random.Next(4) == 0 ? random.Next(value.Length) : value.Length), Key, out var record, out var fault);
            read.Should().Be(record is not null).And.Be(fault == SessionFault.None);
        }
    }

    private static SessionRecordReader Plain() => new(new SessionOptions(), TimeProvider.System);

    private static SessionRecord? Read(string json, out SessionFault fault)
    {
        Plain().TryRead(Encoding.UTF8.GetBytes(json), Key, out var record, out fault).Should().Be(record is not null);
        return record;
    }

    private static SessionFault FaultOf(string json)
    {
        Read(json, out var fault).Should().BeNull();
        return fault;
    }
}
