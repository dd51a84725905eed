using System.Text;
using Microsoft.Extensions.Configuration.EnvironmentVariables;

namespace ChatServer.Configuration;

/// <summary>The .env file that ChatServer shares with Quantum: below the environment, above appsettings.json.</summary>
internal static class DotEnv
{
    public const string FileName = ".env";

    /// <summary>
    /// Adds the directory's .env file right below the environment variables, or on top where there are none. A missing file is
    /// no settings. What could not be read shows among the mistakes of every <see cref="SettingReader"/> of this configuration.
    /// </summary>
    public static IConfigurationBuilder AddDotEnv(this IConfigurationBuilder builder, string directory)
    {
        var source = new DotEnvSource(Load(Path.Combine(directory, FileName)));

        // Prefixed sources (ASPNETCORE_, DOTNET_) stand below appsettings.json: only the unprefixed one is the environment.
        for (var i = builder.Sources.Count - 1; i >= 0; i--)
        {
            if (builder.Sources[i] is EnvironmentVariablesConfigurationSource { Prefix: null or "" })
            {
                builder.Sources.Insert(i, source);
                return builder;
            }
        }

        return builder.Add(source);
    }

    internal static List<string> MistakesOf(IConfiguration configuration) =>
        configuration is IConfigurationRoot root
            ? [.. root.Providers.OfType<DotEnvProvider>().SelectMany(provider => provider.Mistakes)]
            : [];

    private static DotEnvText Load(string path)
    {
        if (!File.Exists(path))
        {
            return DotEnvText.Empty;
        }

        try
        {
            var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
            return DotEnvText.Parse(File.ReadAllText(path, strict));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return DotEnvText.Unreadable("cannot be read.");
        }
        catch (DecoderFallbackException)
        {
            return DotEnvText.Unreadable("is not UTF-8.");
        }
    }

    private sealed class DotEnvSource(DotEnvText text) : IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => new DotEnvProvider(text);
    }

    private sealed class DotEnvProvider(DotEnvText text) : ConfigurationProvider
    {
        public IReadOnlyList<string> Mistakes => text.Mistakes;

        public override void Load()
        {
            foreach (var (name, value) in text.Settings)
            {
                // As in the environment, where a colon cannot stand in a name.
                Data[name.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal)] = value;
            }
        }
    }
}
