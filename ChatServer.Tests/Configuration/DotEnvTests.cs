using ChatServer.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace ChatServer.Tests.Configuration;

public sealed class DotEnvTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dotenv-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void AddDotEnv_InAWebApplication_StandsBelowTheEnvironmentAndAboveAppsettings()
    {
        const string name = "CHATSERVER_TESTS_PRECEDENCE";
        Write("appsettings.json", $$"""{"{{name}}_1": "json", "{{name}}_2": "json", "{{name}}_3": "json", "{{name}}_4": "json"}""");
        Write(".env", $"{name}_2=file\n{name}_3=file\n{name}_4=file\n");
        Environment.SetEnvironmentVariable($"{name}_3", "environment");
        try
        {
            var builder = WebApplication.CreateBuilder(
                new WebApplicationOptions { ContentRootPath = _directory, Args = [$"--{name}_4=line"] });
            builder.Configuration.AddDotEnv(_directory);

            var reader = new SettingReader(builder.Configuration);
            Enumerable.Range(1, 4).Select(i => reader.Text($"{name}_{i}")).Should().Equal("json", "file", "environment", "line");
        }
        finally
        {
            Environment.SetEnvironmentVariable($"{name}_3", null);
        }
    }

    [Fact]
    public void AddDotEnv_NoFile_IsNoSettingsAndNoMistake() => Read().Mistakes.Should().BeEmpty();

    [Fact]
    public void AddDotEnv_MalformedLine_IsAMistakeOfTheReader()
    {
        Write(".env", "WS_PORT=80\nWSS_PORT 443\n");

        var reader = Read();

        reader.Int("WS_PORT", 1, 1, 100).Should().Be(80);
        reader.Mistakes.Should().Equal(".env line 2: is not of the form NAME=value.");
    }

    [Fact]
    public void AddDotEnv_NotUtf8_IsAMistake()
    {
        File.WriteAllBytes(Path.Combine(_directory, ".env"), [(byte)'A', (byte)'=', 0xFC]);

        Read().Mistakes.Should().Equal(".env: is not UTF-8.");
    }

    [Fact]
    public void AddDotEnv_DoubleUnderscore_MakesASectionAsInTheEnvironment()
    {
        Write(".env", "Logging__LogLevel__Default=Debug");

        Build()["Logging:LogLevel:Default"].Should().Be("Debug");
    }

    [Fact]
    public void AddDotEnv_UnknownSetting_IsFound()
    {
        Write(".env", "MAX_CONECTIONS=5\nCHAT_TYPO=1\nDEBUG=True\n");

        UnknownSettings.Find(Build(), ["MAX_CONNECTIONS"]).Should().HaveCount(2);
    }

    private SettingReader Read() => new(Build());

    private IConfigurationRoot Build() => new ConfigurationBuilder().AddDotEnv(_directory).Build();

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_directory, file), text);
}
