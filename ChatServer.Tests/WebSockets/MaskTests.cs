using ChatServer.WebSockets;

namespace ChatServer.Tests.WebSockets;

public sealed class MaskTests
{
    private static readonly byte[] Key = [0x11, 0x22, 0x44, 0x88];

    [Fact]
    public void Apply_EveryLengthAndPhase_IsXorOfKeyByteByByte()
    {
        var plain = new byte[200];
        Random.Shared.NextBytes(plain);
        uint key = BitConverter.ToUInt32(Key);

        for (int length = 0; length <= 150; length++)
        {
            for (int cut = 0; cut <= Math.Min(length, 40); cut++)
            {
                var data = plain.ToArray();
                uint rotated = Mask.Apply(data.AsSpan(5, cut), key);
                Mask.Apply(data.AsSpan(5 + cut, length - cut), rotated);

                for (int i = 0; i < data.Length; i++)
                {
                    bool inside = i >= 5 && i < 5 + length;
                    if (data[i] != (inside ? plain[i] ^ Key[(i - 5) & 3] : plain[i]))
                    {
                        Assert.Fail($"length {length}, cut at {cut}: byte {i} is wrong");
                    }
                }
            }
        }
    }
}
