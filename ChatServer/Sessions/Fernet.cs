using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace ChatServer.Sessions;

/// <summary>
/// Fernet tokens, version 0x80 (github.com/fernet/spec): version ‖ timestamp ‖ IV ‖ AES-128-CBC ciphertext ‖ HMAC-SHA256, all in
/// base64url. Several keys allow rotation: the first one encrypts, each is tried to decrypt.
/// </summary>
internal sealed class Fernet
{
    /// <summary>A key is 16 bytes to sign with, then 16 bytes to encrypt with.</summary>
    public const int KeyLength = 32;

    private const int SigningKeyLength = 16;
    private const byte Version = 0x80;
    private const int TimestampAt = 1;
    private const int IvAt = TimestampAt + sizeof(ulong);
    private const int BlockLength = 16;
    private const int CiphertextAt = IvAt + BlockLength;
    private const int SignatureLength = HMACSHA256.HashSizeInBytes;

    /// <summary>
    /// How far in the future a token's time may be: other implementations' rule, which invalid.json of the specification tests.
    /// </summary>
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(60);

    private readonly IReadOnlyList<byte[]> _keys;
    private readonly TimeProvider _time;

    /// <param name="keys">The newest first, each of <see cref="KeyLength"/> bytes.</param>
    /// <param name="time">The clock that dates new tokens and tells the age of old ones.</param>
    public Fernet(IReadOnlyList<byte[]> keys, TimeProvider time)
    {
        if (keys.Count == 0 || keys.Any(key => key.Length != KeyLength))
        {
            throw new ArgumentException($"Fernet needs at least one key, each of {KeyLength} bytes.", nameof(keys));
        }

        _keys = keys;
        _time = time;
    }

    /// <summary>Reads a key as it is written down: 32 bytes in base64url.</summary>
    public static bool TryReadKey(string text, [NotNullWhen(true)] out byte[]? key)
    {
        key = null;
        var bytes = Encoding.UTF8.GetBytes(text);
        var decoded = new byte[Base64Text.MaxDecodedLength(bytes.Length)];
        if (Base64Text.TryDecodeUrl(bytes, decoded, out var written) && written == KeyLength)
        {
            key = decoded[..KeyLength];
        }

        return key is not null;
    }

    /// <summary>Checks the token's signature and decrypts it.</summary>
    /// <param name="token">The token in base64url.</param>
    /// <param name="maxAge">If given, the token may not be older, nor more than a minute in the future.</param>
    /// <param name="message">The decrypted message.</param>
    public bool TryDecrypt(ReadOnlySpan<byte> token, TimeSpan? maxAge, [NotNullWhen(true)] out byte[]? message)
    {
        message = null;
        var rented = ArrayPool<byte>.Shared.Rent(Base64Text.MaxDecodedLength(token.Length));
        try
        {
            return Base64Text.TryDecodeUrl(token, rented, out var length)
                && HasForm(rented.AsSpan(0, length))
                && IsTimely(rented.AsSpan(0, length), maxAge)
                && TryOpen(rented.AsSpan(0, length), out message);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    public string Encrypt(ReadOnlySpan<byte> message)
    {
        Span<byte> iv = stackalloc byte[BlockLength];
        RandomNumberGenerator.Fill(iv);
        return Encrypt(message, iv);
    }

    /// <summary>For the specification's vectors, whose IV is given: one that is used twice gives messages away.</summary>
    internal string Encrypt(ReadOnlySpan<byte> message, ReadOnlySpan<byte> iv)
    {
        using var aes = Aes.Create();
        aes.Key = _keys[0][SigningKeyLength..];
        var ciphertext = aes.EncryptCbc(message, iv, PaddingMode.PKCS7);
        var token = new byte[CiphertextAt + ciphertext.Length + SignatureLength];
        token[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(token.AsSpan(TimestampAt), _time.GetUtcNow().ToUnixTimeSeconds());
        iv.CopyTo(token.AsSpan(IvAt));
        ciphertext.CopyTo(token.AsSpan(CiphertextAt));
        var signed = token.AsSpan(0, token.Length - SignatureLength);
        HMACSHA256.HashData(_keys[0].AsSpan(0, SigningKeyLength), signed, token.AsSpan(signed.Length));
        var text = Base64Url.EncodeToString(token);
        return text.PadRight((text.Length + 3) / 4 * 4, '=');
    }

    private static bool HasForm(ReadOnlySpan<byte> token)
    {
        var ciphertextLength = token.Length - CiphertextAt - SignatureLength;
        return ciphertextLength >= BlockLength && ciphertextLength % BlockLength == 0 && token[0] == Version;
    }

    private bool IsTimely(ReadOnlySpan<byte> token, TimeSpan? maxAge)
    {
        if (maxAge is not { } allowed)
        {
            return true;
        }

        // As a double every timestamp has an age: there are 64 bits of them, and none may overflow.
        var age = _time.GetUtcNow().ToUnixTimeSeconds() - (double)BinaryPrimitives.ReadUInt64BigEndian(token[TimestampAt..]);
        return age <= allowed.TotalSeconds && -age <= MaxClockSkew.TotalSeconds;
    }

    private bool TryOpen(ReadOnlySpan<byte> token, [NotNullWhen(true)] out byte[]? message)
    {
        Span<byte> signature = stackalloc byte[SignatureLength];
        var signed = token[..^SignatureLength];
        foreach (var key in _keys)
        {
            HMACSHA256.HashData(key.AsSpan(0, SigningKeyLength), signed, signature);
            if (CryptographicOperations.FixedTimeEquals(signature, token[^SignatureLength..]))
            {
                return TryDecipher(key, signed, out message);
            }
        }

        message = null;
        return false;
    }

    private static bool TryDecipher(byte[] key, ReadOnlySpan<byte> signed, [NotNullWhen(true)] out byte[]? message)
    {
        using var aes = Aes.Create();
        aes.Key = key[SigningKeyLength..];
        try
        {
            message = aes.DecryptCbc(signed[CiphertextAt..], signed[IvAt..CiphertextAt], PaddingMode.PKCS7);
            return true;
        }
        catch (CryptographicException)
        {
            // Signed by a holder of the key, and wrongly padded all the same: it has no message.
            message = null;
            return false;
        }
    }
}
