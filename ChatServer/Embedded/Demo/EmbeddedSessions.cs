using ChatServer.Sessions;

namespace ChatServer.Embedded.Demo;

/// <summary>The demo's logins end up in the store that the service looks them up in.</summary>
internal sealed class EmbeddedSessions(MemorySessionStore store) : IDemoSessions
{
    public void Put(string sessionKey, byte[] value, TimeSpan timeToLive) => store.Put(Parse(sessionKey), value, timeToLive);

    public void Remove(string sessionKey) => store.Remove(Parse(sessionKey));

    private static SessionKey Parse(string sessionKey) =>
        SessionKey.TryParse(sessionKey, out var key)
            ? key
            : throw new ArgumentException("The demo made a session key that is none.", nameof(sessionKey));
}
