using ChatServer.Connections;

namespace ChatServer.Tests.Connections;

public sealed class SharedBytesTests
{
    [Fact]
    public void TryShare_GrownOrCleared_LeavesHoldersTheirBytes()
    {
        var source = new PooledBytes();
        source.Write([1, 2, 3]);
        var held = source.TryShare()!;
        source.TryShare().Should().BeSameAs(held);
        held.Hold();

        source.Write(new byte[10_000]);
        source.TryShare().Should().NotBeSameAs(held, "it needed a larger buffer");
        source.Clear();

        held.Buffer[..3].Should().Equal(1, 2, 3);
        held.LetGo();
    }

    [Fact]
    public void TryMake_TooMuchInAll_IsNull()
    {
        SharedBytes.TryMake(new byte[1000], most: 999).Should().BeNull();

        SharedBytes.TryMake(SendBuffers.Rent(1000))!.LetGo();
    }
}
