FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /src
# What decides about packages comes first: as long as it does not change, the restored layer is taken again.
COPY global.json Directory.Build.props Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY ChatServer/ChatServer.csproj ChatServer/
RUN dotnet restore ChatServer
COPY ChatServer/ ChatServer/
RUN dotnet publish ChatServer -c Release -o /app --no-restore -p:UseAppHost=false

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app ./
# Settings come from the environment (.env.example lists them all). The image's own port setting is taken back: WS_PORT and WSS_PORT decide.
# The runtime's diagnostics socket would need a writable /tmp: without it the root file system may be read-only.
# The garbage collector looks at the youngest objects each 32 MiB (hexadecimal), not each 6: see docs/operations.md, "Speed".
ENV ASPNETCORE_HTTP_PORTS= \
    DOTNET_EnableDiagnostics=0 \
    DOTNET_GCgen0size=0x2000000
USER $APP_UID
EXPOSE 8888 8889
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s CMD ["dotnet", "ChatServer.dll", "healthcheck"]
# Arguments follow: `docker run … wss`, `both`, `dead-letters list`.
ENTRYPOINT ["dotnet", "ChatServer.dll"]
