using ChatServer.Quantum;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Quantum;

public sealed class QuantumReachTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly LoggerFactory _factory;
    private readonly QuantumReach _reach;

    public QuantumReachTests()
    {
        _factory = new([_log]);
        _reach = new(_time, _factory.CreateLogger<QuantumReach>());
    }

    public void Dispose() => _factory.Dispose();

    [Fact]
    public void Failures_InARow_AreToldOnceAndTheEndWithTheirNumber()
    {
        for (var call = 1; call <= 100; call++)
        {
            _reach.Failed("refused.");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        _log.All.Should().ContainSingle().Which.Should().StartWith("Warning").And.Contain("[710]").And.Contain("refused.");

        _reach.Answered();
        _reach.Answered();

        _log.All.Should().HaveCount(2);
        _log.All[1].Should().StartWith("Information").And.Contain("[711] Quantum is back after 100 s, in which 100 calls have failed.");
    }

    [Fact]
    public void Failures_BetweenAnswers_AreNoOutage()
    {
        for (var call = 1; call <= 100; call++)
        {
            _reach.Failed("500");
            if (call % (QuantumOptions.FailuresThatMeanAway - 1) == 0)
            {
                _reach.Answered();
            }
        }

        _log.All.Should().BeEmpty();
    }
}
