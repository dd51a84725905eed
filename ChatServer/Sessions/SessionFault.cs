namespace ChatServer.Sessions;

/// <summary>Why a token was refused. For the log only: the client learns <c>invalid_token</c>, whichever it was.</summary>
internal enum SessionFault
{
    None,

    /// <summary>The token is in neither form.</summary>
    MalformedToken,

    /// <summary>Redis has no such session: it never was, was deleted, or has expired.</summary>
    UnknownSession,

    /// <summary>The stored value is not base64, though SESSION_ENCRYPTION says so.</summary>
    NotBase64,

    /// <summary>The stored value is no Fernet token of any of FERNET_KEYS.</summary>
    NotDecryptable,

    /// <summary>The stored value is not a JSON object.</summary>
    NotJson,

    /// <summary>No token_key, or one that cannot stand in an HTTP header.</summary>
    NoTokenKey,

    /// <summary>The record's user or company is missing or is not the one in its key.</summary>
    WrongIdentity,

    /// <summary>room_ids is not a list of integers from 1 to 2^53-1.</summary>
    BadRoomIds,
}
