using Microsoft.Extensions.Configuration;

namespace Orchestrator.Console.Hosting;

/// <summary>Where settings come from; later sources win.</summary>
internal static class Settings
{
    public const string EnvironmentPrefix = "ORCHESTRATOR_";
    public const string FileName = "appsettings.json";

    public static void AddSources(IConfigurationBuilder configuration, string root)
    {
        configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, FileName), optional: true, reloadOnChange: false);
        if (UserFile is { } userFile)
        {
            configuration.AddJsonFile(userFile, optional: true, reloadOnChange: false);
        }

        configuration.AddJsonFile(Path.Combine(root, FileName), optional: true, reloadOnChange: false);
        configuration.Add(new EnvironmentSource());
    }

    private static string? UserFile =>
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home
            ? Path.Combine(home, ".orchestrator", FileName)
            : null;

    /// <summary><c>ORCHESTRATOR_MODEL</c> sets <c>Orchestrator:Model</c>; two underscores separate deeper levels.</summary>
    private sealed class EnvironmentSource : IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => new Provider();

        private sealed class Provider : ConfigurationProvider
        {
            public override void Load()
            {
                foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
                {
                    var name = (string)entry.Key;
                    if (name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase))
                    {
                        var key = name[EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal);
                        Set("Orchestrator:" + key.Replace("_", "", StringComparison.Ordinal), (string?)entry.Value);
                    }
                }
            }

            public override string ToString() => $"environment ({EnvironmentPrefix}…)";
        }
    }
}
