using System.Net;
using ChatServer.Connections;

namespace ChatServer.Tests.Connections;

public sealed class PlacesTests
{
    private readonly ConnectionOptions _options = new(
        1000, 3, 1 << 20, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10))
    {
        MaxUnauthenticatedPerAddress = 5,
    };

    [Fact]
    public void TryTake_ManyAtOnce_AsManyAsMayBeUnknownAndTheyComeBack()
    {
        var places = new Places(_options);
        var taken = new System.Collections.Concurrent.ConcurrentBag<Place>();
        Parallel.For(0, 500, _ =>
        {
            if (places.TryTake(null, out var _) is { } place)
            {
                taken.Add(place);
            }
        });

        taken.Should().HaveCount(_options.MaxUnauthenticated).And.HaveCount(100);
        places.TryTake(null, out var refusal).Should().BeNull();
        refusal.Should().Be(PlaceRefusal.TooManyUnknown);

        // Given back twice is given back once.
        var one = taken.First();
        one.GiveBack();
        one.GiveBack();
        places.TryTake(null, out _).Should().NotBeNull();
        places.TryTake(null, out _).Should().BeNull();
    }

    [Fact]
    public void BecomeKnown_CountsForTheNodeAndNoLongerForTheAddress()
    {
        var places = new Places(_options with { MaxConnections = 7 });
        var address = IPAddress.Parse("192.0.2.1");
        var known = Enumerable.Range(0, 7).Select(_ => places.TryTake(address, out var _)!).Select(place =>
        {
            place.BecomeKnown();
            place.BecomeKnown();
            return place;
        }).ToList();

        places.TryTake(address, out var refusal).Should().BeNull();
        refusal.Should().Be(PlaceRefusal.Full);
        known[0].GiveBack();
        places.TryTake(address, out _).Should().NotBeNull();
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8::1", "2001:db8::ffff:2", true)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", false)]
    public void TryTake_AnAddressHasAsManyAsItMay_IsRefusedAndOthersAreNot(string first, string second, bool areOne)
    {
        var places = new Places(_options);
        var taken = Enumerable.Range(0, 5).Select(_ => places.TryTake(IPAddress.Parse(first), out var _)).ToList();
        taken.Should().NotContainNulls();

        var next = places.TryTake(IPAddress.Parse(second), out var refusal);

        (next is null).Should().Be(areOne);
        refusal.Should().Be(areOne ? PlaceRefusal.TooManyOfAddress : PlaceRefusal.None);
        places.TryTake(null, out _).Should().NotBeNull("who has no address counts for none");
        taken[0]!.GiveBack();
        places.TryTake(IPAddress.Parse(first), out _).Should().NotBeNull();
    }

    [Fact]
    public void TryTake_NoLimitPerAddress_IsAnswered()
    {
        var places = new Places(_options with { MaxUnauthenticatedPerAddress = 0 });

        Enumerable.Range(0, 100).Select(_ => places.TryTake(IPAddress.Loopback, out var _)).Should().NotContainNulls();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(50, 50)]
    [InlineData(1000, 100)]
    [InlineData(50_000, 5000)]
    [InlineData(1_000_000, 10_000)]
    public void MaxUnauthenticated_IsAPartOfMaxConnections(int connections, int unknown) =>
        (_options with { MaxConnections = connections }).MaxUnauthenticated.Should().Be(unknown);

    [Theory]
    [InlineData("Max open files            1024                 524288               files     ", 1024)]
    [InlineData("Max open files            unlimited            unlimited            files     ", null)]
    [InlineData("Max processes             1024                 524288               processes ", null)]
    public void OpenFiles_AreReadAsTheSystemWritesThem(string line, int? most) =>
        OpenFiles.Read(["Limit                     Soft Limit           Hard Limit           Units     ", line]).Should().Be(most);
}
