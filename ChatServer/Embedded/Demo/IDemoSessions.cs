namespace ChatServer.Embedded.Demo;

/// <summary>Where the demo, in Quantum's place, records its logins: the session store that the chat service reads (contract 2.1).</summary>
internal interface IDemoSessions
{
    /// <summary>Records a login.</summary>
    /// <param name="sessionKey">K = <c>{session_key}_{company_id}_{user_id}</c>.</param>
    /// <param name="value">The record, JSON in UTF-8, neither encoded nor encrypted.</param>
    /// <param name="timeToLive">After which the record must be gone, and its sockets closed.</param>
    void Put(string sessionKey, byte[] value, TimeSpan timeToLive);

    /// <summary>Forgets a login, which closes its sockets. An unknown key is no error.</summary>
    void Remove(string sessionKey);
}
