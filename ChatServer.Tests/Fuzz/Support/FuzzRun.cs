using System.Diagnostics;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>Gives a target odd inputs, each drawn from the seed and its own number, and watches time, memory and rented buffers.</summary>
internal sealed class FuzzRun(FuzzTarget target, int seed)
{
    /// <summary>Long beside any input, and beside a pause of a busy machine.</summary>
    private static readonly TimeSpan HangsAfter = TimeSpan.FromSeconds(10);

    /// <summary>What caches may still grow by after the first inputs.</summary>
    private const long MaxGrowth = 4 << 20;

    /// <summary>Before it is measured what is there for good is made: tables of the JSON library, pools.</summary>
    private const int WarmUp = 1000;

    private readonly Mutator _mutator = new(target.Seeds);
    private long _number = -1;

    /// <summary>How many inputs were read so far.</summary>
    public long Inputs { get; private set; }

    /// <param name="inputs">At most so many.</param>
    /// <param name="time">At most so long.</param>
    /// <param name="countsBuffers">Whether rented buffers are counted, which takes its time.</param>
    /// <exception cref="FuzzFailure">The first input that something fell over.</exception>
    public async Task PassAsync(long inputs, TimeSpan time, bool countsBuffers)
    {
        // A thread of its own, which can be left behind if an input never comes to its end.
        var work = Task.Factory.StartNew(
            () => Work(inputs, time, countsBuffers), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        for (var (number, since) = (-1L, Stopwatch.GetTimestamp()); await Task.WhenAny(work, Task.Delay(200)) != work;)
        {
            var now = Interlocked.Read(ref _number);
            if (now != number)
            {
                (number, since) = (now, Stopwatch.GetTimestamp());
            }
            else if (Stopwatch.GetElapsedTime(since) > HangsAfter)
            {
                throw Failure(now, Draw(now, out _), $"does not come to its end within {HangsAfter.TotalSeconds} s");
            }
        }

        await work;
    }

    /// <summary>Gives the target an input that was kept, as often as what else is open needs.</summary>
    public static void Replay(FuzzTarget target, byte[] input, int times = 50)
    {
        for (var i = 0; i < times; i++)
        {
            try
            {
                target.Take([.. input], new Random(i));
            }
            catch (Exception exception)
            {
                throw new FuzzFailure(target.Name, $"kept input, random {i}", input, exception.Message, exception);
            }
        }
    }

    private void Work(long inputs, TimeSpan time, bool countsBuffers)
    {
        using var buffers = countsBuffers ? new RentedBuffers() : null;
        var start = Stopwatch.GetTimestamp();
        var before = 0L;
        for (var number = 0L; number < inputs && Stopwatch.GetElapsedTime(start) < time; number++)
        {
            if (number == WarmUp)
            {
                before = GC.GetTotalMemory(forceFullCollection: true);
            }

            Interlocked.Exchange(ref _number, number);
            Take(number);
            Inputs++;
        }

        var growth = before == 0 ? 0 : GC.GetTotalMemory(forceFullCollection: true) - before;
        if (growth > MaxGrowth)
        {
            throw Failure(Inputs - 1, [], $"{growth} bytes more are held after {Inputs} inputs");
        }
    }

    private void Take(long number)
    {
        var input = Draw(number, out var random);
        var held = RentedBuffers.Held;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target.Take([.. input], random);
        }
        catch (Exception exception)
        {
            throw Failure(number, input, $"{exception.GetType().Name}: {exception.Message}", exception);
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (number > WarmUp && allocated > target.MaxAllocated)
        {
            throw Failure(number, input, $"allocates {allocated} bytes");
        }

        if (target.ReturnsBuffers && RentedBuffers.Held != held)
        {
            throw Failure(number, input, $"keeps {RentedBuffers.Held - held} rented buffers");
        }
    }

    private byte[] Draw(long number, out Random random)
    {
        random = new Random(unchecked((int)((seed * 1_000_003L) + number)));
        return _mutator.Draw(random);
    }

    private FuzzFailure Failure(long number, byte[] input, string what, Exception? inner = null) =>
        new(target.Name, $"CHAT_FUZZ_SEED={seed}, input {number}", input, what, inner);
}
