using ChatServer.Sessions;

namespace ChatServer.Embedded.Demo;

/// <summary>Records the demo's logins in the store in which the service looks them up.</summary>
internal sealed class EmbeddedSessions(MemorySessionStore store) : IDemoSessions
{
    public void Put(string sessionKey, byte[] value, TimeSpan timeToLive) => store.Put(Parse(sessionKey), value, timeToLive);

    public void Remove(string sessionKey) => store.Remove(Parse(sessionKey));

    private static SessionKey Parse(string sessionKey) =>
        SessionKey.TryParse(sessionKey, out var key)
            ? key
            : throw new ArgumentException("The demo made an invalid session key.", nameof(sessionKey));
}
