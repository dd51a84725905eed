using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;

namespace ChatServer.Protocol;

/// <summary>
/// Names a file, as in <c>/files/17-q3Zr…</c>: the partition where it is held, then a secret. Whoever knows the name may load the file, so
/// it can't be guessed.
/// </summary>
/// <param name="Partition">Leads any node to the file's key.</param>
/// <param name="Secret">144 random bits in base64url (RFC 4648, section 5).</param>
internal readonly record struct FileId(int Partition, string Secret)
{
    private const int SecretBytes = 18;
    private const int SecretLength = SecretBytes * 4 / 3;
    private const int MaxPartitionDigits = 4;

    private static readonly SearchValues<char> Alphabet = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>A name that nobody knows yet.</summary>
    public static FileId New(int partition) =>
        new(partition, Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes)).Replace('+', '-').Replace('/', '_'));

    /// <summary>Reads what <see cref="ToString"/> wrote, and nothing else.</summary>
    public static bool TryParse(string text, out FileId id)
    {
        id = default;
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash is < 1 or > MaxPartitionDigits
            || text.Length != dash + 1 + SecretLength
            || !int.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            || text.AsSpan(dash + 1).ContainsAnyExcept(Alphabet))
        {
            return false;
        }

        id = new(partition, text[(dash + 1)..]);
        return id.ToString() == text;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Partition}-{Secret}");
}
