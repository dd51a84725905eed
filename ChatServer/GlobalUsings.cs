// ASP.NET's own SessionOptions, of its cookie sessions, is imported everywhere and never meant here.
global using SessionOptions = ChatServer.Sessions.SessionOptions;
