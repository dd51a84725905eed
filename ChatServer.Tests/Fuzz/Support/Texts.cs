using System.Text;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>Inputs that are text.</summary>
internal static class Texts
{
    public static IReadOnlyList<byte[]> Utf8(params string[] texts) => [.. texts.Select(Encoding.UTF8.GetBytes)];

    /// <summary>Where to cut an input, in order.</summary>
    public static int[] Cuts(int length, Random random)
    {
        var cuts = new int[random.Next(6)];
        for (var i = 0; i < cuts.Length; i++)
        {
            cuts[i] = random.Next(length + 1);
        }

        Array.Sort(cuts);
        return cuts;
    }
}
