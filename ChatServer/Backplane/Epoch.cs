using System.Security.Cryptography;
using System.Text;

namespace ChatServer.Backplane;

/// <summary>Names a room's numbering.</summary>
internal static class Epoch
{
    /// <summary>Eight random characters: enough to tell a room's new numbering from its old one.</summary>
    public static string New() => RandomNumberGenerator.GetString("abcdefghijkmnpqrstuvwxyz23456789", 8);

    /// <summary>Reads an epoch, which mostly is the one that is known already.</summary>
    public static string Read(ReadOnlySpan<byte> text, string? known) =>
        known is not null && Ascii.Equals(text, known) ? known : Encoding.ASCII.GetString(text);
}
