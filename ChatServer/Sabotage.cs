#if SABOTAGE
namespace ChatServer;

/// <summary>
/// Switches one protection off, to see that the fault tests notice. Compiled with <c>-p:Sabotage=true</c> only, by those tests and into a folder of their own;
/// no other build has a trace of it. <c>CHAT_SABOTAGE</c> names what is off: <c>dedupe</c>, <c>gap</c>, <c>probe</c> or <c>lease</c>.
/// </summary>
internal static class Sabotage
{
    private static readonly string? Off = Environment.GetEnvironmentVariable("CHAT_SABOTAGE");

    public static bool Of(string protection) => Off == protection;
}
#endif
