namespace ChatServer.WebSockets;

/// <summary>What a frame carries (RFC 6455, section 5.2). The values from 8 on are control frames.</summary>
internal enum Opcode : byte
{
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}
