using System.Diagnostics;
using System.Text;

namespace ChatServer.Tests.Support;

/// <summary>A child process whose output is kept, whose run is bounded in time and which does not outlive its owner.</summary>
internal sealed class BoundedProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();

    private BoundedProcess(Process process)
    {
        _process = process;
        AppDomain.CurrentDomain.ProcessExit += KillLeftOver;
    }

    /// <summary>What the process has written so far to its output and its error output.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>What the process has written so far to its error output alone.</summary>
    public string ErrorOutput
    {
        get
        {
            lock (_output)
            {
                return _errors.ToString();
            }
        }
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>
    /// Starts <paramref name="command"/> (program and arguments). A null value takes a variable out of the inherited environment.
    /// </summary>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no such program.</exception>
    public static BoundedProcess Start(
        IReadOnlyList<string> command, string directory, params IEnumerable<(string Name, string? Value)> environment)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var child = new BoundedProcess(new Process { StartInfo = start });
        child._process.OutputDataReceived += (_, line) => child.Keep(line.Data);
        child._process.ErrorDataReceived += (_, line) => child.Keep(line.Data, child._errors);
        child._process.Start();
        child._process.StandardInput.Close();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>
    /// Runs <paramref name="command"/> to its end and gives its exit code and output; after <paramref name="limit"/> it is killed.
    /// </summary>
    /// <exception cref="TimeoutException">It was killed; the message holds its output.</exception>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyList<string> command, string directory, TimeSpan limit, params IEnumerable<(string Name, string? Value)> environment)
    {
        await using var child = Start(command, directory, environment);
        return (await child.ExitAsync(limit), child.Output);
    }

    /// <summary>Waits for the end of the process, with all its output, and gives its exit code.</summary>
    /// <exception cref="TimeoutException">It did not end in time; the message holds its output.</exception>
    public async Task<int> ExitAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException late)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} did not end within {limit}:\n{Output}", late);
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillLeftOver;
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await _process.WaitForExitAsync(timeout.Token);
        }

        _process.Dispose();
    }

    /// <summary>A test run that ends without disposal leaves no process behind.</summary>
    private void KillLeftOver(object? sender, EventArgs e)
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }
    }

    private void Keep(string? line, StringBuilder? other = null)
    {
        lock (_output)
        {
            _output.AppendLine(line);
            other?.AppendLine(line);
        }
    }
}
