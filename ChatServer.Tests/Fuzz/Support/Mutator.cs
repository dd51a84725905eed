using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>Makes odd inputs of valid ones. The same random numbers give the same input.</summary>
internal sealed class Mutator(IReadOnlyList<byte[]> seeds)
{
    private const int MaxBytes = 8 * 1024;

    /// <summary>Bytes at which something ends, begins or turns over.</summary>
    private static readonly byte[] Bytes =
        [0x00, 0x01, 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x2C, 0x3A, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x7E, 0x7F, 0x80, 0x81, 0xC0, 0xFE, 0xFF];

    /// <summary>Lengths at which a header changes its form, a limit lies, or a number turns over.</summary>
    private static readonly ulong[] Lengths =
    [
        0, 1, 2, 125, 126, 127, 128, 255, 256, 1000, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
        0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF,
    ];

    private static readonly byte[][] Numbers = Utf8(
        "0", "-0", "-1", "1", "00", "1e2", "1E400", "-1e-400", "0.5", "1.0", "2147483647", "2147483648", "-2147483648", "4294967296",
        "9007199254740991", "9007199254740992", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "18446744073709551615", "99999999999999999999999999999999", new string('9', 400));

    private static readonly byte[][] Pieces =
    [
        .. Utf8(
            "\r\n", "\n", "\r", "\r\n\r\n", " ",
            "=", "#", "\"", "'", "\\", "_", "-", "*3\r\n", "$-1\r\n", "$0\r\n\r\n", ":1\r\n", "+OK\r\n",
            "m 1 1 ", "! ", "= ", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\udc00\\ud800", "\\u0000", "\\u", "\\x", "\uFEFF", "\0", "ä",
            "\U0001F600", "null", "//", "/*"),

        // No UTF-8: a bare continuation, an overlong form, half of a pair, beyond the last character, the beginning of one.
        [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE4, 0xB8], [0xFF],
    ];

    private static readonly byte[][] Values = Utf8(
        "null", "true", "false", "{}", "[]", "[{}]", "[[]]", "\"\"", "\"x\"", "\"\\ud800\"", "\"\\u0041\"", "\"12\"", "[1,\"2\",null]",
        "{\"type\":\"chat\"}", "\"" + new string('x', 200) + "\"", "NaN", "'x'", "");

    private static readonly int[] Depths = [1, 2, 32, 61, 62, 63, 64, 65, 200, 1000];

    public byte[] Draw(Random random)
    {
        var input = new List<byte>(Pick(random, seeds));

        // Mostly few changes: after many nothing is left behind which a reader would go on.
        for (var left = random.Next(8) switch { 0 => 0, < 5 => 1, 5 => 2, 6 => 4, _ => random.Next(1, 16) }; left > 0; left--)
        {
            Change(input, random);
        }

        if (input.Count > MaxBytes)
        {
            CollectionsMarshal.SetCount(input, MaxBytes);
        }

        return [.. input];
    }

    private void Change(List<byte> input, Random random)
    {
        if (input.Count == 0)
        {
            input.AddRange(Pick(random, Pieces));
            return;
        }

        var at = random.Next(input.Count);
        switch (random.Next(18))
        {
            case 0:
                input[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                input[at] = Pick(random, Bytes);
                break;
            case 2:
                input[at] = (byte)random.Next(256);
                break;
            case 3:
                input.Insert(at, random.Next(2) == 0 ? Pick(random, Bytes) : (byte)random.Next(256));
                break;
            case 4:
                input.RemoveRange(at, Span(input, at, random));
                break;
            case 5:
                var span = Span(input, at, random);
                for (var times = random.Next(8) == 0 ? random.Next(1, 64) : 1; times > 0 && input.Count < MaxBytes; times--)
                {
                    input.InsertRange(at, input.GetRange(at, span));
                }

                break;
            case 6:
                var moved = input.GetRange(at, Span(input, at, random));
                input.RemoveRange(at, moved.Count);
                input.InsertRange(random.Next(input.Count + 1), moved);
                break;
            case 7:
                input.RemoveRange(at, input.Count - at);
                break;
            case 8:
                var other = Pick(random, seeds);
                input.RemoveRange(at, input.Count - at);
                input.AddRange(other.AsSpan(random.Next(other.Length + 1)));
                break;
            case 9:
                WriteLength(input, at, random);
                break;
            case 10 or 11:
                ReplaceNumber(input, at, random);
                break;
            case 12 or 13:
                input.InsertRange(at, Pick(random, Pieces));
                break;
            default:
                ChangeJson(input, at, random);
                break;
        }
    }

    private static void ChangeJson(List<byte> input, int at, Random random)
    {
        switch (random.Next(5))
        {
            case 0:
                // A member twice, the second time with another value.
                if (Next(input, at, '"') is var key and >= 0 && Next(input, key, ':') is var colon and >= 0)
                {
                    input.InsertRange(key, [.. input.GetRange(key, colon + 1 - key), .. Pick(random, Values), (byte)',']);
                }

                break;
            case 1:
                if (Next(input, at, ':') is var before and >= 0)
                {
                    var end = input.FindIndex(before, b => b is (byte)',' or (byte)'}' or (byte)']');
                    input.RemoveRange(before + 1, (end < 0 ? input.Count : end) - before - 1);
                    input.InsertRange(before + 1, Pick(random, random.Next(3) == 0 ? Numbers : Values));
                }

                break;
            case 2:
                if (Next(input, at, ':') is var outer and >= 0)
                {
                    var depth = Pick(random, Depths);
                    var isArray = random.Next(2) == 0;
                    var closed = random.Next(3) > 0 ? string.Concat(Enumerable.Repeat(isArray ? "]" : "}", depth)) : "";
                    input.InsertRange(
                        outer + 1, Encoding.ASCII.GetBytes(
                            string.Concat(Enumerable.Repeat(isArray ? "[" : "{\"a\":", depth)) + "1" + closed + ",\"b\":"));
                }

                break;
            case 3:
                if (Next(input, at, '"') is var quote and >= 0)
                {
                    input.InsertRange(quote + 1, Pick(random, Pieces));
                }

                break;
            default:
                // The same text in other bytes: readers that compare bytes stumble.
                if (input.FindIndex(at, b => char.IsAsciiLetter((char)b)) is var letter and >= 0)
                {
                    var escape = Encoding.ASCII.GetBytes("\\u00" + input[letter].ToString("x2", CultureInfo.InvariantCulture));
                    input.RemoveAt(letter);
                    input.InsertRange(letter, escape);
                }

                break;
        }
    }

    private static void ReplaceNumber(List<byte> input, int at, Random random)
    {
        var start = input.FindIndex(at, b => char.IsAsciiDigit((char)b));
        if (start < 0)
        {
            return;
        }

        var end = input.FindIndex(start, b => !char.IsAsciiDigit((char)b));
        input.RemoveRange(start, (end < 0 ? input.Count : end) - start);
        input.InsertRange(start, Pick(random, Numbers));
    }

    private static void WriteLength(List<byte> input, int at, Random random)
    {
        var length = Pick(random, Lengths);
        for (var left = Math.Min(1 << random.Next(4), input.Count - at); left > 0; left--)
        {
            input[at++] = (byte)(length >> (8 * (left - 1)));
        }
    }

    private static int Next(List<byte> input, int at, char wanted) => input.IndexOf((byte)wanted, at);

    private static int Span(List<byte> input, int at, Random random) =>
        Math.Min(input.Count - at, random.Next(4) == 0 ? random.Next(1, 200) : random.Next(1, 9));

    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private static byte[][] Utf8(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];
}
