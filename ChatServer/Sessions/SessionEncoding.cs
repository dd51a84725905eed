using System.Text;

namespace ChatServer.Sessions;

/// <summary>How values are stored beside Quantum's sessions: plain, in base64 or as Fernet tokens, as SESSION_ENCRYPTION says.</summary>
/// <remarks>A Fernet token's own age does not count: Redis says how long a value lives.</remarks>
internal sealed class SessionEncoding(SessionOptions options, TimeProvider time)
{
    private readonly Fernet? _fernet =
        options.Encryption == SessionEncryption.Fernet ? new Fernet(options.FernetKeys, time) : null;

    public ReadOnlyMemory<byte> Encode(ReadOnlySpan<byte> bytes) =>
        options.Encryption switch
        {
            SessionEncryption.Base64 => Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes)),
            SessionEncryption.Fernet => Encoding.ASCII.GetBytes(_fernet!.Encrypt(bytes)),
            _ => bytes.ToArray(),
        };

    /// <param name="fault">Why it is not what <see cref="Encode"/> or Quantum makes.</param>
    public bool TryDecode(ReadOnlyMemory<byte> value, out ReadOnlyMemory<byte> bytes, out SessionFault fault)
    {
        bytes = value;
        fault = SessionFault.None;
        switch (options.Encryption)
        {
            case SessionEncryption.Base64:
                // Python's encodebytes, unlike its b64encode, breaks the lines.
                var text = value.Span.ToArray().Where(b => b is not ((byte)'\n' or (byte)'\r')).ToArray();
                var decoded = new byte[Base64Text.MaxDecodedLength(text.Length)];
                fault = Base64Text.TryDecode(text, decoded, out var written) ? SessionFault.None : SessionFault.NotBase64;
                bytes = decoded.AsMemory(0, written);
                break;
            case SessionEncryption.Fernet:
                fault = _fernet!.TryDecrypt(value.Span, maxAge: null, out var message) ? SessionFault.None : SessionFault.NotDecryptable;
                bytes = message;
                break;
            default:
                break;
        }

        return fault == SessionFault.None;
    }
}
