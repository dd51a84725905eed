using System.Net;
using System.Net.Sockets;

namespace ChatServer.Connections;

/// <summary>How many sockets this node has, those that have authenticated and those that have not.</summary>
internal sealed class Places(ConnectionOptions options)
{
    private const int BytesOfNetwork = 8;

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, int> _unknownOf = [];
    private int _known;
    private int _unknown;

    /// <summary>Takes a place for a socket before its upgrade.</summary>
    /// <param name="address">Where it comes from; null if that can't be said: then it counts for no address.</param>
    /// <returns>Null, with the reason, if there is none.</returns>
    public Place? TryTake(IPAddress? address, out PlaceRefusal refusal)
    {
        address = NetworkOf(address);
        lock (_gate)
        {
            refusal = _known >= options.MaxConnections ? PlaceRefusal.Full
                : _unknown >= options.MaxUnauthenticated ? PlaceRefusal.TooManyUnknown
                : options.MaxUnauthenticatedPerAddress > 0 && address is not null
                    && _unknownOf.GetValueOrDefault(address) >= options.MaxUnauthenticatedPerAddress ? PlaceRefusal.TooManyOfAddress
                : PlaceRefusal.None;
            if (refusal != PlaceRefusal.None)
            {
                return null;
            }

            _unknown++;
            Count(address, 1);
            return new(this, address);
        }
    }

    internal void Move(IPAddress? address, Place.State from, Place.State to)
    {
        lock (_gate)
        {
            if (from == Place.State.Unknown)
            {
                _unknown--;
                Count(address, -1);
            }
            else
            {
                _known--;
            }

            _known += to == Place.State.Known ? 1 : 0;
        }
    }

    /// <summary>Whoever has one address of version 6 has the 2^64 of its network: they count as one.</summary>
    private static IPAddress? NetworkOf(IPAddress? address)
    {
        if (address is null || address.AddressFamily == AddressFamily.InterNetwork)
        {
            return address;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(BytesOfNetwork).Clear();
        return new(bytes);
    }

    private void Count(IPAddress? address, int change)
    {
        if (address is null)
        {
            return;
        }

        var count = _unknownOf.GetValueOrDefault(address) + change;
        if (count > 0)
        {
            _unknownOf[address] = count;
        }
        else
        {
            _unknownOf.Remove(address);
        }
    }
}
