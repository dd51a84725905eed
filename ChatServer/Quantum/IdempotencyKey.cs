using System.Security.Cryptography;
using System.Text;
using ChatServer.Protocol;

namespace ChatServer.Quantum;

/// <summary>The value of <c>Idempotency-Key</c> (contract, part 3): the same whenever the same is saved again.</summary>
internal static class IdempotencyKey
{
    public const string Header = "Idempotency-Key";

    public static string Of(StoredMessage message) =>
        $"{message.CompanyId}:{message.RoomId}:{message.FromUserId}:{Uri.EscapeDataString(message.Identifier)}";

    /// <returns>The SHA-256 of the messages' own keys, a line each, in lower-case hex: a header cannot hold them all.</returns>
    public static string Of(IEnumerable<StoredMessage> messages) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', messages.Select(Of)))));
}
