using System.IO.Pipelines;

namespace Pipelines.Sockets.Unofficial;

/// <summary>
/// Runs pipe callbacks on a few threads of its own, so that replies are still read while the thread pool is starved by callers that
/// block on them. Threads start when first needed; what finds none free goes to the thread pool, so that nothing waits behind a
/// callback that blocks. As on the thread pool, an action that throws ends the process.
/// </summary>
public sealed class DedicatedThreadPoolPipeScheduler : PipeScheduler, IDisposable
{
    private readonly Queue<WorkItem> _queue = new();
    private readonly string _name;
    private readonly int _longestQueue;
    private readonly ThreadPriority _priority;
    private int _started;
    private int _waiting;
    private int _busy;
    private bool _disposed;
    private long _servicedByQueue;
    private long _servicedByPool;

    /// <summary>Creates a scheduler; no thread starts yet.</summary>
    /// <param name="name">Names the threads.</param>
    /// <param name="workerCount">The most threads that it may start; at least 1.</param>
    /// <param name="useThreadPoolQueueLength">With more than this many actions waiting, the thread pool helps.</param>
    /// <param name="priority">The priority of the threads.</param>
    public DedicatedThreadPoolPipeScheduler(
        string? name = null, int workerCount = 5, int useThreadPoolQueueLength = 10, ThreadPriority priority = ThreadPriority.Normal)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workerCount);
        _name = string.IsNullOrWhiteSpace(name) ? nameof(DedicatedThreadPoolPipeScheduler) : name.Trim();
        WorkerCount = workerCount;
        _longestQueue = useThreadPoolQueueLength;
        _priority = priority;
    }

    /// <summary>The most threads that the scheduler may start.</summary>
    public int WorkerCount { get; }

    /// <summary>How many of them are free, started or not.</summary>
    public int AvailableCount => WorkerCount - Volatile.Read(ref _busy);

    /// <summary>Actions that ran on the scheduler's own threads.</summary>
    public long TotalServicedByQueue => Volatile.Read(ref _servicedByQueue);

    /// <summary>Actions that ran on the thread pool.</summary>
    public long TotalServicedByPool => Volatile.Read(ref _servicedByPool);

    /// <inheritdoc/>
    public override void Schedule(Action<object?> action, object? state)
    {
        ArgumentNullException.ThrowIfNull(action);
        var start = 0;
        bool help;
        lock (_queue)
        {
            _queue.Enqueue(new WorkItem(action, state));
            help = _disposed || _queue.Count > _longestQueue;
            if (_waiting > 0)
            {
                // The waker counts the thread out, so that a second action finds another one before the first has woken.
                _waiting--;
                Monitor.Pulse(_queue);
            }
            else if (!_disposed && _started < WorkerCount)
            {
                start = ++_started;
            }
            else
            {
                help = true;
            }
        }

        if (start > 0)
        {
            var worker = new Thread(static scheduler => ((DedicatedThreadPoolPipeScheduler)scheduler!).Work())
            {
                Name = $"{_name}:{start}",
                IsBackground = true,
                Priority = _priority,
            };
            worker.UnsafeStart(this);
        }

        if (help)
        {
            System.Threading.ThreadPool.UnsafeQueueUserWorkItem(static scheduler => scheduler.Help(), this, preferLocal: false);
        }
    }

    /// <summary>Ends the threads once the queue is empty; later actions run on the thread pool.</summary>
    public void Dispose()
    {
        lock (_queue)
        {
            _disposed = true;
            _waiting = 0;
            Monitor.PulseAll(_queue);
        }
    }

    private void Work()
    {
        while (true)
        {
            WorkItem item;
            lock (_queue)
            {
                while (!_queue.TryDequeue(out item))
                {
                    if (_disposed)
                    {
                        return;
                    }

                    _waiting++;
                    Monitor.Wait(_queue);
                }
            }

            Interlocked.Increment(ref _busy);
            item.Action(item.State);
            Interlocked.Decrement(ref _busy);
            Interlocked.Increment(ref _servicedByQueue);
        }
    }

    // Takes the oldest action, not the one that called for help; a thread may have taken them all in the meantime.
    private void Help()
    {
        WorkItem item;
        lock (_queue)
        {
            if (!_queue.TryDequeue(out item))
            {
                return;
            }
        }

        item.Action(item.State);
        Interlocked.Increment(ref _servicedByPool);
    }

    private readonly record struct WorkItem(Action<object?> Action, object? State);
}
