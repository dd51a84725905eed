using ChatServer.Endpoints;
using ChatServer.Tests.Configuration.Support;
using Microsoft.Extensions.Primitives;

namespace ChatServer.Tests.Endpoints;

public sealed class OriginPolicyTests
{
    [Theory]
    [InlineData("demo-3.localhost:8001", "http://demo-3.localhost:8001")]
    [InlineData("demo-3.localhost:8001", "https://demo-3.localhost:8001")]
    [InlineData("DEMO-3.localhost:8001", "http://demo-3.LOCALHOST:8001")]
    [InlineData("demo-3.localhost", "http://demo-3.localhost:8001")]
    [InlineData("demo-3.localhost", "http://demo-3.localhost")]
    [InlineData("demo-3.localhost", "HTTPS://Demo-3.Localhost:1")]
    [InlineData(".example.com", "https://example.com")]
    [InlineData(".example.com", "https://a.example.com")]
    [InlineData(".example.com", "https://a.b.example.com:8443")]
    [InlineData(".example.com:8443", "https://a.example.com:8443")]
    [InlineData(".example.com:443", "https://a.example.com")]
    [InlineData("a.example:443", "https://a.example")]
    [InlineData("a.example:80", "http://a.example")]
    [InlineData("a.example:443", "wss://a.example")]
    [InlineData("a.example:80", "ws://a.example")]
    [InlineData("a.example:443", "https://a.example:443")]
    [InlineData("a.example", "https://a.example.")]
    [InlineData("a.example.", "https://a.example")]
    [InlineData("localhost", "capacitor://localhost")]
    [InlineData("127.0.0.1:8001", "http://127.0.0.1:8001")]
    [InlineData("[::1]", "http://[::1]:8001")]
    [InlineData("[::1]:8001", "http://[::1]:8001")]
    [InlineData("[0:0:0:0:0:0:0:1]:80", "http://[::1]")]
    [InlineData("[2001:DB8::1]", "https://[2001:db8:0::1]")]
    [InlineData("bücher.example", "https://xn--bcher-kva.example")]
    [InlineData("BÜCHER.example:8001", "https://xn--bcher-kva.example:8001")]
    [InlineData(".bücher.example", "https://www.xn--bcher-kva.example")]
    [InlineData("xn--bcher-kva.example", "https://XN--bcher-kva.example")]
    [InlineData("my_host", "http://my_host")]
    [InlineData("*", "https://anything.example:1")]
    [InlineData("*", "null")]
    [InlineData("*", "")]
    [InlineData("*", "garbage / of any kind")]
    public void Allows_MatchingOrigin_IsLetIn(string entry, string origin) => Policy(entry).Allows(origin).Should().BeTrue();

    [Theory]
    [InlineData("demo-3.localhost:8001", "http://demo-3.localhost:8002")]
    [InlineData("demo-3.localhost:8001", "http://demo-3.localhost")]
    [InlineData("demo-3.localhost", "http://demo-4.localhost")]
    [InlineData("demo-3.localhost", "http://x.demo-3.localhost")]
    [InlineData("demo-3.localhost", "http://localhost")]
    [InlineData(".example.com", "https://badexample.com")]
    [InlineData(".example.com", "https://example.com.evil.example")]
    [InlineData(".example.com", "https://com")]
    [InlineData(".example.com", "https://.example.com")]
    [InlineData(".example.com:8443", "https://a.example.com")]
    [InlineData("example.com", "https://example.com.evil.example")]
    [InlineData("example.com", "https://evil.example/example.com")]
    [InlineData("example.com", "https://evil.example?example.com")]
    [InlineData("example.com", "https://evil.example#example.com")]
    [InlineData("example.com", "https://example.com@evil.example")]
    [InlineData("example.com", "https://user@example.com")]
    [InlineData("example.com", "https://example.com:443@evil.example")]
    [InlineData("example.com", "https://example.com\\@evil.example")]
    [InlineData("a.example:443", "http://a.example")]
    [InlineData("a.example:80", "https://a.example")]
    [InlineData("a.example:443", "capacitor://a.example")]
    [InlineData("example.com", "null")]
    [InlineData("null", "null")]
    [InlineData("example.com", "")]
    [InlineData("example.com", " ")]
    [InlineData("example.com", "example.com")]
    [InlineData("example.com", "//example.com")]
    [InlineData("example.com", "://example.com")]
    [InlineData("example.com", "1://example.com")]
    [InlineData("example.com", "ht tp://example.com")]
    [InlineData("example.com", "https:example.com")]
    [InlineData("example.com", "https:/example.com")]
    [InlineData("example.com", "https:///example.com")]
    [InlineData("example.com", "https://example.com/")]
    [InlineData("example.com", "https://example.com ")]
    [InlineData("example.com", " https://example.com")]
    [InlineData("example.com", "https://example.com, https://example.com")]
    [InlineData("example.com", "https://example.com https://example.com")]
    [InlineData("example.com", "https://example.com:")]
    [InlineData("example.com", "https://example.com:0")]
    [InlineData("example.com", "https://example.com:080")]
    [InlineData("example.com", "https://example.com:+80")]
    [InlineData("example.com", "https://example.com:80 ")]
    [InlineData("example.com", "https://example.com:80\0")]
    [InlineData("example.com", "https://example.com\0")]
    [InlineData("example.com", "https://example.com:65536")]
    [InlineData("example.com", "https://example.com:8a")]
    [InlineData("example.com", "https://example.com:80:80")]
    [InlineData("example.com", "https://example.com..")]
    [InlineData("example.com", "https://ｅxample.com")]
    [InlineData("example.com", "https://example。com")]
    [InlineData("k.example", "https://\u212A.example")]
    [InlineData("bücher.example", "https://bücher.example")]
    [InlineData("[::1]", "http://::1")]
    [InlineData("[::1]", "http://[::1")]
    [InlineData("[::1]", "http://[::1]x")]
    [InlineData("[::1]", "http://[::1%25eth0]")]
    [InlineData("[::1]", "http://[::2]")]
    [InlineData("[::1]", "http://[]")]
    [InlineData("127.0.0.1", "http://[127.0.0.1]")]
    public void Allows_OtherOrigin_IsRefused(string entry, string origin) => Policy(entry).Allows(origin).Should().BeFalse();

    [Fact]
    public void Allows_NoOrigin_IsRefusedUnlessSwitchedOn()
    {
        Policy("*").Allows((string?)null).Should().BeFalse();
        Policy("*").Allows(StringValues.Empty).Should().BeFalse();
        new OriginPolicy(["a.example"], allowMissing: true).Allows((string?)null).Should().BeTrue();
        new OriginPolicy(["a.example"], allowMissing: true).Allows(StringValues.Empty).Should().BeTrue();
        new OriginPolicy(["a.example"], allowMissing: true).Allows("https://b.example").Should().BeFalse();
        new OriginPolicy(["a.example"], allowMissing: true).Allows("").Should().BeFalse();
    }

    [Fact]
    public void Allows_SeveralOrigins_AreRefused()
    {
        Policy("a.example").Allows(new StringValues("https://a.example")).Should().BeTrue();
        Policy("a.example").Allows(new StringValues(["https://a.example", "https://a.example"])).Should().BeFalse();
        Policy("*").Allows(new StringValues(["https://a.example", "https://a.example"])).Should().BeFalse();
    }

    [Fact]
    public void Allows_NoEntries_IsRefused() => new OriginPolicy([], allowMissing: false).Allows("https://a.example").Should().BeFalse();

    [Fact]
    public void Read_Settings_GivesThePolicy()
    {
        var reader = TestSettings.Reader(("ALLOWED_HOSTS", "a.example, .b.example:8001"), ("ALLOW_MISSING_ORIGIN", "true"));
        var policy = OriginPolicy.Read(reader, ["c.example"]);

        reader.Mistakes.Should().BeEmpty();
        policy.Allows("https://a.example").Should().BeTrue();
        policy.Allows("https://x.b.example:8001").Should().BeTrue();
        policy.Allows("https://c.example").Should().BeFalse();
        policy.Allows((string?)null).Should().BeTrue();
        reader.KnownNames.Should().BeEquivalentTo("ALLOWED_HOSTS", "ALLOW_MISSING_ORIGIN");
    }

    [Fact]
    public void Read_NotSet_TakesTheCallersDefault()
    {
        OriginPolicy.Read(TestSettings.Reader(), ["localhost"]).Allows("http://localhost:8888").Should().BeTrue();
        OriginPolicy.Read(TestSettings.Reader(("ALLOWED_HOSTS", " , "))).Allows("http://localhost:8888").Should().BeFalse();
        OriginPolicy.Read(TestSettings.Reader()).Allows((string?)null).Should().BeFalse();
    }

    [Theory]
    [InlineData("https://a.example")]
    [InlineData("a.example/")]
    [InlineData("a.example/chat")]
    [InlineData("a example")]
    [InlineData("a.example b.example")]
    [InlineData("a.example:")]
    [InlineData("a.example:0")]
    [InlineData("a.example:65536")]
    [InlineData("a.example:080")]
    [InlineData("a.example:http")]
    [InlineData("a..example")]
    [InlineData(".")]
    [InlineData("..a.example")]
    [InlineData(":8001")]
    [InlineData("*.a.example")]
    [InlineData("*:8001")]
    [InlineData("::1")]
    [InlineData("[::1")]
    [InlineData("[localhost]")]
    [InlineData(".[::1]")]
    [InlineData("a$.example")]
    public void Read_MalformedEntry_IsAMistakeThatNamesIt(string entry)
    {
        var reader = TestSettings.Reader(("ALLOWED_HOSTS", $"good.example,{entry}"));
        var policy = OriginPolicy.Read(reader);

        reader.Mistakes.Should().Equal($"ALLOWED_HOSTS: \"{entry}\" is not like chat.example, chat.example:8001, .example, [::1] or *.");
        policy.Allows("https://good.example").Should().BeTrue();
        FluentActions.Invoking(() => Policy(entry)).Should().Throw<FormatException>();
    }

    [Fact]
    public void Read_AnEntryWithAUser_IsAMistakeThatDoesNotShowIt()
    {
        var reader = TestSettings.Reader(("ALLOWED_HOSTS", "good.example,https://user:word@a.example"));

        OriginPolicy.Read(reader).Allows("https://a.example").Should().BeFalse();

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith("ALLOWED_HOSTS: the value (not shown").And.NotContain("word@");
    }

    [Fact]
    public void Allows_AnyText_NeverThrowsAndOnlyTheHostMatches()
    {
        const string alphabet = "https://.example:8001[]@#?%\\ \0é0aA";
        var policy = Policy(".example");
        var random = new Random(4711);
        for (var round = 0; round < 50_000; round++)
        {
            var origin = (round % 2 == 0 ? "https://" : "") + new string(random.GetItems<char>(alphabet, random.Next(20)));
            if (policy.Allows(origin))
            {
                new Uri(origin).Host.TrimEnd('.').Should()
                    .Match(host => host == "example" || host.EndsWith(".example", StringComparison.Ordinal));
            }

            FluentActions.Invoking(() => HostPattern.TryParse(origin, out _)).Should().NotThrow();
        }
    }

    private static OriginPolicy Policy(params string[] entries) => new(entries, allowMissing: false);
}
