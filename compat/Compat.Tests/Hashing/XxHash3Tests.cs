using System.IO.Hashing;

namespace Compat.Tests.Hashing;

/// <summary>
/// The input is the first bytes of the buffer of xxHash's own sanity test (tests/sanity_test.c). The hashes without a seed and with
/// PRIME64 that stand in its published vectors (tests/sanity_test_vectors.h) stand here too; the others, around every boundary of the
/// algorithm, were computed with libxxhash, and so were all of the third column.
/// </summary>
public sealed class XxHash3Tests
{
    private const ulong Prime32 = 2654435761;
    private const ulong Prime64 = 11400714785074694797;
    private const ulong OtherSeed = 0xF0000000000000F1;
    private static readonly byte[] Buffer = SanityBuffer(5000);

    [Theory]
    [InlineData(0, 0x2D06800538D394C2UL, 0xA8A6B918B2F0364AUL, 0x23FA12FFA825284EUL)]
    [InlineData(1, 0xC44BDFF4074EECDBUL, 0x032BE332DD766EF8UL, 0x389845EBAF602D36UL)]
    [InlineData(2, 0x7A9978044CB8A8BBUL, 0x764B35C90519AD88UL, 0x4CBD29DB1A42EC17UL)]
    [InlineData(3, 0x54247382A8D6B94DUL, 0x634B8990B4976373UL, 0x4D3FB7E75BEBC055UL)]
    [InlineData(4, 0xE5DC74BC51848A51UL, 0xAA2E7ECCB0C8F747UL, 0x947B49D08DBEF2FDUL)]
    [InlineData(5, 0xE4243F00720306BBUL, 0x5A67C87E50ED80EDUL, 0x96B70C3F827B7B8FUL)]
    [InlineData(6, 0x27B56A84CD2D7325UL, 0x84589C116AB59AB9UL, 0x89D8E39AB62219F3UL)]
    [InlineData(8, 0x24CCC9ACAA9F65E4UL, 0x8F973410999B8F6BUL, 0xBDD543DF8D0DC46FUL)]
    [InlineData(9, 0x14D5001C15DD3F2BUL, 0xB3AE7333D9013F60UL, 0xC3D6D121ED2126C5UL)]
    [InlineData(12, 0xA713DAF0DFBB77E7UL, 0xE7303E1B2336DE0EUL, 0x7CBB4AD0609FB887UL)]
    [InlineData(16, 0x981B17D36C7498C9UL, 0x663F29333B4DB6B1UL, 0x00BF8E62705F6103UL)]
    [InlineData(17, 0x796F5ACD3A60F862UL, 0xF3EC5067F4306DB3UL, 0x4753544E6415008BUL)]
    [InlineData(24, 0xA3FE70BF9D3510EBUL, 0x850E80FC35BDD690UL, 0xD53C2115331F4F21UL)]
    [InlineData(32, 0x9FEADDBDBF57EED3UL, 0x2199FAB1534893D9UL, 0x89CF91D8DE10BE2AUL)]
    [InlineData(33, 0xABFB2D081B400A10UL, 0xAD56348DA574BB6DUL, 0x6DBB7B7DFF87EFAAUL)]
    [InlineData(48, 0x397DA259ECBA1F11UL, 0xADC2CBAA44ACC616UL, 0xCD35B9912600F998UL)]
    [InlineData(64, 0x9CB48487720EC49DUL, 0x4FE8895DB9B8C077UL, 0xF21B5BA9FAB11AE6UL)]
    [InlineData(65, 0xFD81AAC4BEBC3883UL, 0xAD80AEEC1FC9E0A7UL, 0xDC14B50478BB84B2UL)]
    [InlineData(80, 0xBCDEFBBB2C47C90AUL, 0xC6DD0CB699532E73UL, 0xB359DB8F8D9266F8UL)]
    [InlineData(96, 0x935A769A7F94776FUL, 0x70CF51937E500540UL, 0x6E209C88874A88A7UL)]
    [InlineData(97, 0xCA4CA268FD3C3A6CUL, 0xEE461D3ADD7EE6C9UL, 0x8CFD0B8061CEA432UL)]
    [InlineData(128, 0xFCFF24126754D861UL, 0x73FDE75280646649UL, 0xEC6B2995D5A14B23UL)]
    [InlineData(129, 0x98F1B0A679A2CA29UL, 0x21FFFDBCA099C844UL, 0xC85E3AE1FABE5725UL)]
    [InlineData(144, 0xC440D47E5F03FE58UL, 0x858D16B71F4DD859UL, 0x656C018C709250BBUL)]
    [InlineData(195, 0xCD94217EE362EC3AUL, 0xBA68003D370CB3D9UL, 0xC83086C7D921C479UL)]
    [InlineData(222, 0xB9163B558664D356UL, 0xCD627E7CA214EBFDUL, 0x4831B5657B99A4A4UL)]
    [InlineData(240, 0x81C3C2B67F568CCFUL, 0xCC0F58C27EF3D8EEUL, 0x5A214F7F1C254648UL)]
    [InlineData(241, 0xC5A639ECD2030E5EUL, 0xDDA9B0A161D4829AUL, 0xB3AC2707D16D211FUL)]
    [InlineData(255, 0xE98F979F4ED8A197UL, 0x2ACA7901D9538C75UL, 0xA4AAF343DC323BC7UL)]
    [InlineData(256, 0x55DE574AD89D0AC5UL, 0x4D30234B7A3AA61CUL, 0x9617A61E991DFB77UL)]
    [InlineData(403, 0xCDEB804D65C6DEA4UL, 0x6259F6ECFD6443FDUL, 0xA83432C94AA1D87FUL)]
    [InlineData(512, 0x617E49599013CB6BUL, 0x3CE457DE14C27708UL, 0x635B88877D01D86AUL)]
    [InlineData(1024, 0xDD85C9B5C1109C5CUL, 0xEF368A8A2EBABAEFUL, 0x66E92C5BF423A01FUL)]
    [InlineData(1025, 0xD870C0FA13211C6AUL, 0x96792BCF9AF88519UL, 0x789EFCD73C7E1A30UL)]
    [InlineData(1088, 0xCC1450EA6B52A8F4UL, 0x542632D046F3DDE4UL, 0x5B4854B0D6B105A0UL)]
    [InlineData(1089, 0xEF727B2EFFC4CC8CUL, 0xFF8423D886707134UL, 0x43097BC8A80654FAUL)]
    [InlineData(2048, 0xDD59E2C3A5F038E0UL, 0x66F81670669ABABCUL, 0xE7B64837258D7360UL)]
    [InlineData(2240, 0x6E73A90539CF2948UL, 0x757BA8487D1B5247UL, 0x478ECF8CCFB8C606UL)]
    [InlineData(2367, 0xCB37AEB9E5D361EDUL, 0xD2DB3415B942B42AUL, 0xAB595BDF2D053112UL)]
    [InlineData(4096, 0xE91206429D1F48F9UL, 0x2A3BBB20A5439DCDUL, 0xC25E6E0B085D44C4UL)]
    [InlineData(4160, 0x4F323B15321E94E1UL, 0x1BF6F5FAF9EECABDUL, 0xF94B90A5654CEC92UL)]
    [InlineData(4999, 0xF92A85A6EA06D646UL, 0x596D51A843ADDA46UL, 0x3AD20C2D9E666571UL)]
    public void HashToUInt64_EachLength_IsThatOfXxHash(int length, ulong expected, ulong withPrime, ulong withOther)
    {
        var source = Buffer.AsSpan(0, length);
        XxHash3.HashToUInt64(source).Should().Be(expected);
        XxHash3.HashToUInt64(source, 0).Should().Be(expected);
        XxHash3.HashToUInt64(source, unchecked((long)Prime64)).Should().Be(withPrime);
        XxHash3.HashToUInt64(source, unchecked((long)OtherSeed)).Should().Be(withOther);
    }

    // Vectors of dotnet/runtime's XxHash3Tests.cs.
    [Theory]
    [InlineData("f", 0x5a7a3a6dd84a445fL, 0x826ed41a6e3413f3UL)]
    [InlineData("V4", 0x1cf4L, 0x123a6f50f1ca0359UL)]
    [InlineData("kLi", 0x6f3502011f621a64L, 0xf917a1f0983dac91UL)]
    [InlineData("E27wiW", 0x4ef78ad67d7e2c8fL, 0x96512f40427e1ac0UL)]
    [InlineData("SsNiqNqBf", 0x70cb1cd220fe3a09L, 0xed6cfa6cf621b996UL)]
    [InlineData("fcuQxJ1a7XHWjOak", 0x27ea2fd22273f024L, 0x0429af28bc6f6ffbUL)]
    [InlineData("aGfZbBNKvUGfWCu34gub", 0x55babd76a130f515L, 0x057b70e73f6feeebUL)]
    public void HashToUInt64_SeededText_IsThatOfThePackage(string text, long seed, ulong expected) =>
        XxHash3.HashToUInt64(System.Text.Encoding.ASCII.GetBytes(text), seed).Should().Be(expected);

    [Fact]
    public void HashToUInt64_AnyLengthUpTo5000_ChangesWithEveryByte()
    {
        var source = Buffer.ToArray();
        for (var length = 1; length <= source.Length; length += 1 + (length / 16))
        {
            var before = XxHash3.HashToUInt64(source.AsSpan(0, length));
            foreach (var index in new[] { 0, length / 2, length - 1 })
            {
                source[index] ^= 1;
                XxHash3.HashToUInt64(source.AsSpan(0, length)).Should().NotBe(before, "byte {0} of {1} counts", index, length);
                source[index] ^= 1;
            }
        }
    }

    private static byte[] SanityBuffer(int length)
    {
        var buffer = new byte[length];
        var generator = Prime32;
        for (var i = 0; i < length; i++)
        {
            buffer[i] = (byte)(generator >> 56);
            generator = unchecked(generator * Prime64);
        }

        return buffer;
    }
}
