#if FAULT_INJECTION
namespace ChatServer.Configuration;

/// <summary>
/// Switches one protection off, to prove that the fault tests notice. Compiled with <c>-p:FaultInjection=true</c> only, by those tests and
/// into a folder of their own; no other build contains it. <c>CHAT_FAULT_INJECTION</c> names what is off: <c>dedupe</c>, <c>gap</c>,
/// <c>generation</c>, <c>probe</c>, <c>lease</c>, <c>free</c>, <c>slow</c>, <c>pace</c>, <c>removal</c> or <c>tokens</c>.
/// </summary>
internal static class FaultInjection
{
    private static readonly string? Off = Environment.GetEnvironmentVariable("CHAT_FAULT_INJECTION");

    public static bool Disables(string protection) => Off == protection;
}
#endif
