using ChatServer.Tests.Faults.Support;

namespace ChatServer.Tests.Faults;

/// <summary>The checker must turn red for each breach, else its green proves nothing. The histories are made up.</summary>
public sealed class CheckerTests
{
    private const long Room = 12;
    private const string Epoch = "e1";

    private static readonly Persona Ada = new(31, 3, [Room]);
    private static readonly Persona Zoe = new(32, 3, [Room]);

    [Fact]
    public void Check_EverythingOnceAndInOrder_FindsNothing()
    {
        var findings = Check([Told(1), Told(2), Told(3)], [Row(1), Row(2), Row(3)]);

        findings.All.Should().BeEmpty();
        findings.Acked.Should().Be(3);
        findings.Handed.Should().Be(3);
    }

    [Fact]
    public void Check_ComesBackAndGetsTheRestOnce_FindsNothing() =>
        Check([Told(1), new Ended(1006), new Connected(2, "b"), Back(since: 1), Told(2), Told(3)]).All.Should().BeEmpty();

    [Fact]
    public void Check_OwnMessageOfAnEarlierConnectionIsAckedBeforeItsCopyComes_FindsNothing() =>
        Check(AdaReturns([Acked(4), Told(4, Ada)]), [Told(1), Told(2), Told(3), Told(4)], Rows(4)).All.Should().BeEmpty();

    [Fact]
    public void Check_AckOfARepetitionRunsAhead_SaysNothingOfTheMessagesBefore() =>
        Check(AdaReturns([Acked(5, "a4"), Told(4, Zoe, "z1"), Told(5, Ada, "a4")]),
            [Told(1), Told(2), Told(3), Acked(4, "z1"), Told(5, identifier: "a4")],
            [Row(1), Row(2), Row(3), Row(4, Zoe, "z1"), Row(5, identifier: "a4")]).All.Should().BeEmpty();

    [Fact]
    public void Check_AMemberMissesTheLastMessage_IsLost() => Only(Check([Told(1), Told(2)]), Breach.Lost);

    [Fact]
    public void Check_AMemberMissesOneInTheMiddle_IsLostAndOutOfOrder() => Only(Check([Told(1), Told(3)]), Breach.Disordered, Breach.Lost);

    [Fact]
    public void Check_AMemberGetsOneTwice_IsDoubled() => Only(Check([Told(1), Told(2), Told(2), Told(3)]), Breach.Doubled);

    [Fact]
    public void Check_TheReplayBeginsBeforeWhatWasSeen_IsDoubled() =>
        Only(Check([Told(1), Told(2), new Ended(1006), new Connected(2, "b"), Back(since: 2), Told(2), Told(3)]), Breach.Doubled);

    [Fact]
    public void Check_AnEchoOfTheOwnMessageOnTheSameConnection_IsDoubled() =>
        Only(Check([.. AdaSends(), Told(3, Ada)], [Told(1), Told(2), Told(3)], Rows(3)), Breach.Doubled);

    [Fact]
    public void Check_AMemberGetsTwoTheOtherWayRound_IsOutOfOrder() =>
        Check([Told(2), Told(1), Told(3)]).All.Should().OnlyContain(finding => finding.Breach == Breach.Disordered).And.NotBeEmpty();

    [Fact]
    public void Check_AMessageOfAnotherCompany_IsForeign() =>
        Only(Check([Told(1), new Told(4, Room, 41, 2, "a2", Checker.BodyOf("a2")), Told(2), Told(3)]), Breach.Foreign);

    [Fact]
    public void Check_AMessageOfAnotherRoom_IsForeign() =>
        Only(Check([Told(1), new Told(3, 99, 31, 2, "a2", Checker.BodyOf("a2")), Told(2), Told(3)]), Breach.Foreign);

    [Fact]
    public void Check_AnIdentifierHasTwoSeqs_IsRenumbered() =>
        Only(Check([Told(1), Told(2), Told(3), Told(4, identifier: "a3")]), Breach.Renumbered, Breach.Lost);

    [Fact]
    public void Check_ASeqHasTwoIdentifiers_IsRenumbered() => Only(Check([Told(1), Told(2, identifier: "x"), Told(3)]), Breach.Renumbered);

    [Fact]
    public void Check_ABodyIsNotWhatWasSent_IsAltered() =>
        Only(Check([Told(1), new Told(3, Room, 31, 2, "a2", "something else"), Told(3)]), Breach.Altered);

    [Fact]
    public void Check_AReturnIsNotRecovered_IsTold() =>
        Check([Told(1), new Ended(1006), new Connected(2, "b"), new Joined(Room, 3, Epoch, false, true, 1)]).Count(Breach.Unrecovered)
            .Should().Be(1);

    [Fact]
    public void Check_ANewNumberingBeginsByItself_IsTold() =>
        Check([Told(1), Told(2), Told(3), new Joined(Room, 0, "e2", false, false, 0)]).Count(Breach.Unrecovered).Should().Be(1);

    [Fact]
    public void Check_ACloseForbidsToComeBack_IsTold() => Only(Check([Told(1), Told(2), Told(3), new Ended(4503)]), Breach.TurnedAway);

    [Fact]
    public void Check_QuantumLacksOne_IsMissaved() => Only(Check([Told(1), Told(2), Told(3)], [Row(1), Row(3)]), Breach.Missaved);

    [Fact]
    public void Check_QuantumHasOneTwice_IsMissaved() =>
        Check([Told(1), Told(2), Told(3)], [Row(1), Row(2), Row(3), Row(3)]).Count(Breach.Missaved).Should().Be(1);

    [Fact]
    public void Check_QuantumHasThemTheOtherWayRound_IsToldOnce() =>
        Only(Check([Told(1), Told(2), Told(3)], [Row(1), Row(3), Row(2)]), Breach.MissavedOrder);

    [Fact]
    public void Check_QuantumHasOneUnderAnotherCompany_IsForeign() =>
        Check([Told(1), Told(2), Told(3)], [.. Rows(3), new SavedRow(4, Room, 31, "a1", Checker.BodyOf("a1"))]).Count(Breach.Foreign)
            .Should().Be(1);

    [Fact]
    public void Check_QuantumWasAskedAgainWithoutNeed_IsTold()
    {
        ClientHistory[] clients = [new(Ada, [.. Begin(), .. AdaSends()])];

        Only(Checker.Check(clients, Rows(3), new() { SaveCalls = 4 }), Breach.SavedAgain);
        Only(Checker.Check(clients, Rows(3), new() { SaveCalls = 3 }));
    }

    [Fact]
    public void Check_WhoWasPutOutGetsMoreOfTheRoom_IsOverheard()
    {
        Only(Check([Told(1), new PutOut(Room), Told(2), Back(since: 2), Told(3)]), Breach.Overheard);
        Only(Check([Told(1), Told(2), new PutOut(Room), new Joined(Room, 2, Epoch, true, false, null), Told(3)]), Breach.Overheard);
        Only(Check([Told(1), Told(2), new PutOut(Room), Back(since: 2), Told(3)]));
    }

    [Fact]
    public void Check_WhoIsPutOutOfARoomThatItIsNotIn_IsForeign() =>
        Only(Check([Told(1), Told(2), Told(3), new PutOut(99), new PutOut(Room), new PutOut(Room)]), Breach.Foreign, Breach.Foreign);

    [Fact]
    public void Check_OwnMessageIsAckedAfterItWasPutOut_FindsNothing() =>
        Only(Check(
            [.. AdaSends().SkipLast(1), new PutOut(Room), Acked(3)], [Told(1), Told(2), Told(3)], Rows(3)));

    [Fact]
    public void Check_AMessageComesToAnOutsiderWhomNobodyPutOut_IsOverheard()
    {
        var noon = TimeProvider.System.GetUtcNow();
        Outsider zoe = new(Zoe.User, Room, noon, noon.AddSeconds(10));

        foreach (var (seconds, overheard) in (ReadOnlySpan<(int, int)>)[(-1, 0), (5, 1), (11, 0)])
        {
            ChatEvent[] told = [.. new[] { -5, seconds, 20 }.Select((at, index) => Told(index + 1) with { At = noon.AddSeconds(at) })];
            Check(told, null, new() { Outsiders = [zoe, zoe with { User = Ada.User }, zoe with { Room = 99 }] }).Count(Breach.Overheard)
                .Should().Be(overheard);
        }
    }

    [Fact]
    public void Check_WhoReadsIsClosedAsSlow_IsToldAndWhoDoesNotIsNot()
    {
        IEnumerable<ChatEvent> all = [Told(1), Told(2), Told(3)];
        Ended slow = new(Checker.SlowConsumer);

        Only(Check([.. all, slow]), Breach.CalledSlow);
        Only(Check([.. all, new Reads(Again: false, 1), slow]));
        Only(Check([.. all, new Reads(Again: false, 1), new Reads(Again: true, 1), slow]));
        Only(Check(
        [
            .. all, new Ended(1006), new Reads(Again: false, 2), new Reads(Again: true, 2), new Connected(2, "b"), Back(3), slow,
        ]));
        Only(
            Check([.. all, new Reads(Again: false, 1), new Reads(Again: true, 1), new Ended(1006), new Connected(2, "b"), Back(3), slow]),
            Breach.CalledSlow);
    }

    [Fact]
    public void Check_WhoHasLoggedOutIsTurnedAway_FindsNothingUntilTheNextLogin()
    {
        IEnumerable<ChatEvent> all = [Told(1), Told(2), Told(3), new Logs(In: false), new Ended(4503), new Ended(4500)];

        Only(Check(all));
        Only(Check([.. all, new Logs(In: true), new Ended(4503)]), Breach.TurnedAway);
    }

    [Theory]
    [InlineData(5, 0)]
    [InlineData(6, 1)]
    public void Check_ASaveThatNothingHindersIsLate_IsTold(int seconds, int late)
    {
        var noon = TimeProvider.System.GetUtcNow();
        Undisturbed time = new(3, noon, noon + (2 * Checker.SaveWithin));
        foreach (var (acked, company, counts) in (ReadOnlySpan<(double, long, bool)>)
            [(0, 3, true), (5, 3, true), (5.1, 3, false), (-0.1, 3, false), (0, 4, false)])
        {
            var findings = Checker.Check(
                [new(Ada, [.. Begin(), new Sent(1, Room, "a1"), Acked(1) with { At = noon.AddSeconds(acked) }])],
                [Row(1) with { At = noon.AddSeconds(acked + seconds) }], new() { Unhindered = [time with { Company = company }] });

            (findings.Count(Breach.SavedLate), findings.Unhindered).Should().Be((counts ? late : 0, counts ? 1 : 0));
            findings.Slowest.Should().Be(TimeSpan.FromSeconds(counts ? seconds : 0));
        }
    }

    [Fact]
    public void Check_OfALargeBodyAByteIsMissing_IsAltered()
    {
        var name = Checker.Name(Ada.User, 1, isLarge: true);
        var body = Checker.BodyOf(name);
        Findings Of(string told) => Checker.Check(
            [
                new(Ada, [.. Begin(), new Sent(1, Room, name), Acked(1, name)]),
                new(Zoe, [.. Begin(), new Told(3, Room, Ada.User, 1, name, Checker.Abridge(told))]),
            ],
            [new(3, Room, Ada.User, name, Checker.Abridge(body))]);

        body.Should().HaveLength(60_000 + $"This is {name}.".Length);
        Only(Of(body));
        Only(Of(body[..^1]), Breach.Altered);
    }

    [Fact]
    public void Describe_AfterABreach_ShowsTheHistoryAroundIt() =>
        Check([Told(1), Told(2), Told(2), Told(3)]).Describe().Should()
            .Contain("doubled 1").And.Contain("> ").And.Contain("user 32 of company 3");

    /// <summary>Ada has sent three messages and has her acks; this is what Zoe got.</summary>
    private static Findings Check(
        IEnumerable<ChatEvent> zoe, IReadOnlyList<SavedRow>? rows = null, Circumstances? circumstances = null) =>
        Check(AdaSends(), zoe, rows ?? Rows(3), circumstances);

    private static Findings Check(
        IEnumerable<ChatEvent> ada, IEnumerable<ChatEvent> zoe, IReadOnlyList<SavedRow> rows, Circumstances? circumstances = null) =>
        Checker.Check(
            [new(Ada, [.. Begin(), .. ada]), new(Zoe, [.. Begin(), new Sent(1, Room, "z1"), .. zoe])], rows, circumstances);

    [Fact]
    public void Check_TheEpochHasAnotherNameInItsPlace_IsNoBreach()
    {
        Check([Told(1), Renamed(1), Told(2), Told(3)]).Count(Breach.Unrecovered).Should().Be(0);
        Check([Told(1), Renamed(0), Told(2), Told(3)]).Count(Breach.Unrecovered).Should().Be(1, "it says less than the client has seen");
    }

    private static Joined Renamed(long seq) => new(Room, seq, "e2", Recovered: true, Asked: false, null);

    private static ChatEvent[] Begin() => [new Connected(1, "a"), new Joined(Room, 0, Epoch, false, true, null)];

    private static IEnumerable<ChatEvent> AdaSends() =>
        Enumerable.Range(1, 3).SelectMany(seq => new ChatEvent[] { new Sent(1, Room, $"a{seq}"), Acked(seq) });

    /// <summary>Her fourth message has no ack when her connection ends; she comes back and sends it again.</summary>
    private static IEnumerable<ChatEvent> AdaReturns(IEnumerable<ChatEvent> then) =>
        [.. AdaSends(), new Sent(1, Room, "a4"), new Ended(1006), new Connected(2, "b"), Back(since: 3), new Sent(2, Room, "a4"), .. then];

    private static Joined Back(long since) => new(Room, 3, Epoch, Recovered: true, Asked: true, since);

    private static Told Told(long seq, Persona? from = null, string? identifier = null) =>
        new(3, Room, (from ?? Ada).User, seq, identifier ?? $"a{seq}", Checker.BodyOf(identifier ?? $"a{seq}"));

    private static Acked Acked(long seq, string? identifier = null) => new(Room, identifier ?? $"a{seq}", seq);

    private static SavedRow[] Rows(int count) => [.. Enumerable.Range(1, count).Select(seq => Row(seq))];

    private static SavedRow Row(long seq, Persona? from = null, string? identifier = null) =>
        new(3, Room, (from ?? Ada).User, identifier ?? $"a{seq}", Checker.BodyOf(identifier ?? $"a{seq}"));

    private static void Only(Findings findings, params Breach[] breaches) =>
        findings.All.Select(finding => finding.Breach).Order().Should().Equal(breaches.Order(), "{0}", findings.Describe());
}
