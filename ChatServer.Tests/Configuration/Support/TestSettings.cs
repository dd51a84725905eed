using ChatServer.Configuration;
using Microsoft.Extensions.Configuration;

namespace ChatServer.Tests.Configuration.Support;

internal static class TestSettings
{
    public static IConfigurationRoot Of(params (string Name, string? Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value)))
            .Build();

    public static SettingReader Reader(params (string Name, string? Value)[] settings) => new(Of(settings));
}
