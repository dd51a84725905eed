using ChatServer.Bench;

if (args is not ["micro"])
{
    await Console.Error.WriteLineAsync("Usage: dotnet run -c Release --project ChatServer.Bench -- micro");
    return 64;
}

await Console.Out.WriteLineAsync(Micro.Run());
return 0;
