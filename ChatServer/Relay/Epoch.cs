using System.Security.Cryptography;

namespace ChatServer.Relay;

/// <summary>Names a room's numbering.</summary>
internal static class Epoch
{
    /// <summary>Eight random characters: enough that a room that begins anew is not taken for its former self.</summary>
    public static string New() => RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyz23456789", 8);
}
