using System.ComponentModel;
using System.Diagnostics;

namespace ChatServer.Bench.Servers;

/// <summary>A process of ours in a directory of its own. Neither outlives its owner, however that ends.</summary>
internal sealed class Child : IAsyncDisposable
{
    private const int KeptLines = 200;

    private static readonly TimeSpan ExitLimit = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bench-");
    private readonly Queue<string> _lines = new();

    private Child(ProcessStartInfo start)
    {
        start.WorkingDirectory = _directory.FullName;
        _process = new Process { StartInfo = start };
        AppDomain.CurrentDomain.ProcessExit += KillLeftOver;
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The last lines that it wrote.</summary>
    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <param name="onLine">Told each line of its standard output.</param>
    public static Child Start(Launch launch, Action<string>? onLine = null)
    {
        var start = new ProcessStartInfo(launch.Command[0], launch.Command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in launch.Environment)
        {
            start.Environment[name] = value;
        }

        var child = new Child(start);
        foreach (var (name, text) in launch.Files)
        {
            File.WriteAllText(Path.Combine(start.WorkingDirectory, name), text);
        }

        child._process.OutputDataReceived += (_, line) => child.Keep(line.Data, onLine);
        child._process.ErrorDataReceived += (_, line) => child.Keep(line.Data, null);
        try
        {
            child._process.Start();
        }
        catch (Win32Exception missing)
        {
            AppDomain.CurrentDomain.ProcessExit -= child.KillLeftOver;
            child._directory.Delete(recursive: true);
            throw new InvalidOperationException($"{launch.Command[0]} can't be started: {missing.Message}", missing);
        }

        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Waits until it does what it was started for.</summary>
    /// <exception cref="InvalidOperationException">It ended, or did not get there in time; the message holds what it wrote.</exception>
    public async Task WaitUntilAsync(Func<Task<bool>> isReady, TimeSpan limit, CancellationToken cancellation)
    {
        for (var started = Stopwatch.GetTimestamp(); !await isReady(); await Task.Delay(20, cancellation))
        {
            if (HasExited || Stopwatch.GetElapsedTime(started) > limit)
            {
                throw new InvalidOperationException($"{string.Join(' ', _process.StartInfo.ArgumentList)} did not start:\n{Output}");
            }
        }
    }

    /// <returns>The exit code.</returns>
    /// <exception cref="InvalidOperationException">It did not end in time.</exception>
    public async Task<int> ExitAsync(TimeSpan limit, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException late) when (!cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException($"A process did not end within {limit}:\n{Output}", late);
        }
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillLeftOver;
        Kill();
        await ExitAsync(ExitLimit, CancellationToken.None);
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private void KillLeftOver(object? sender, EventArgs e)
    {
        Kill();
        _process.WaitForExit(ExitLimit);
        _directory.Delete(recursive: true);
    }

    private void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    private void Keep(string? line, Action<string>? onLine)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
            {
                _lines.Dequeue();
            }
        }

        onLine?.Invoke(line);
    }
}
