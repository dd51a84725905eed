namespace Pipelines.Sockets.Unofficial.Arenas;

/// <summary>Makes one value of another, which is passed by reference because it may be large.</summary>
/// <typeparam name="TFrom">What is given.</typeparam>
/// <typeparam name="TTo">What is made.</typeparam>
public delegate TTo Projection<TFrom, out TTo>(in TFrom source);

/// <summary>Makes one value of another and a state, so that no closure is needed.</summary>
/// <typeparam name="TFrom">What is given.</typeparam>
/// <typeparam name="TState">What else is given.</typeparam>
/// <typeparam name="TTo">What is made.</typeparam>
public delegate TTo Projection<TFrom, TState, out TTo>(in TFrom source, in TState state);
