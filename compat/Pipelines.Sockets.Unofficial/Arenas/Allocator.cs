namespace Pipelines.Sockets.Unofficial.Arenas;

/// <summary>
/// Stands in the signature of <see cref="Arena{T}"/>'s constructor; only null is ever given, and blocks are ordinary arrays.
/// </summary>
/// <typeparam name="T">The type of the elements.</typeparam>
public abstract class Allocator<T>
{
    private protected Allocator()
    {
    }
}
