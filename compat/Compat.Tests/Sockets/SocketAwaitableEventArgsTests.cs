using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Compat.Tests.Support;
using Pipelines.Sockets.Unofficial;

namespace Compat.Tests.Sockets;

public sealed class SocketAwaitableEventArgsTests
{
    [Fact]
    public async Task Await_ConnectAndTransfer_GivesTheBytes()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var args = new SocketAwaitableEventArgs { RemoteEndPoint = listener.LocalEndPoint };
        (await RunAsync(args, socket.ConnectAsync)).Should().Be(0);
        using var peer = await listener.AcceptAsync().WaitAsync(Limits.Short);
        for (var i = 1; i <= 3; i++)
        {
            args.SetBuffer(Pattern.Bytes(100 * i));
            (await RunAsync(args, socket.SendAsync)).Should().Be(100 * i, "an instance may be used again");
        }
    }

    [Fact]
    public async Task Await_Refused_ThrowsTheSocketError()
    {
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var args = new SocketAwaitableEventArgs { RemoteEndPoint = bound.LocalEndPoint };
        var connect = () => RunAsync(args, socket.ConnectAsync);
        (await connect.Should().ThrowAsync<SocketException>()).Which.SocketErrorCode.Should().Be(SocketError.ConnectionRefused);
    }

    [Theory]
    [InlineData(SocketError.TimedOut, SocketError.TimedOut)]
    [InlineData(SocketError.Success, SocketError.OperationAborted)]
    public async Task Abort_WhileWaiting_EndsTheWaitForGood(SocketError given, SocketError thrown)
    {
        using var pair = await SocketPair.CreateAsync();
        using var args = new SocketAwaitableEventArgs();
        args.SetBuffer(new byte[10]);
        var receive = RunAsync(args, pair.Near.ReceiveAsync);
        receive.IsCompleted.Should().BeFalse();
        args.Abort(given);
        var wait = () => receive;
        (await wait.Should().ThrowAsync<SocketException>()).Which.SocketErrorCode.Should().Be(thrown);

        await pair.Far.SendAsync(new byte[5]);
        await Task.Delay(20);
        wait = () => AwaitAsync(args);
        await wait.Should().ThrowAsync<SocketException>("the late end of the operation is nobody's result");
    }

    [Fact]
    public async Task Abort_AfterCompletion_ChangesNothing()
    {
        using var args = new SocketAwaitableEventArgs();
        args.Complete();
        args.Abort(SocketError.TimedOut);
        (await AwaitAsync(args)).Should().Be(0);
    }

    [Fact]
    public async Task Await_SchedulerGiven_GoesOnThere()
    {
        using var scheduler = new DedicatedThreadPoolPipeScheduler("resumed");
        using var args = new SocketAwaitableEventArgs(scheduler);
        var wait = Task.Run(async () =>
        {
            await args;
            return Thread.CurrentThread.Name;
        });
        await Task.Delay(20);
        args.Complete();
        (await wait.WaitAsync(Limits.Short)).Should().StartWith("resumed:");
    }

    [Fact]
    public async Task Await_CompletedAtTheSameMoment_NeverHangs()
    {
        using var args = new SocketAwaitableEventArgs(PipeScheduler.Inline);
        for (var i = 0; i < 20_000; i++)
        {
            var completing = Task.Run(args.Complete);
            await AwaitAsync(args);
            await completing;
        }
    }

    private static async Task<int> RunAsync(SocketAwaitableEventArgs args, Func<SocketAsyncEventArgs, bool> start)
    {
        if (!start(args))
        {
            args.Complete();
        }

        return await AwaitAsync(args);
    }

    private static async Task<int> AwaitAsync(SocketAwaitableEventArgs args)
    {
        async Task<int> Await() => await args;
        return await Await().WaitAsync(Limits.Short);
    }
}
