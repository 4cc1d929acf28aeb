using Microsoft.Extensions.Configuration;
using Orchestrator.Core;

namespace Orchestrator.Console.Hosting;

/// <summary>Where settings come from; later sources win.</summary>
internal static class Settings
{
    public const string EnvironmentPrefix = "ORCHESTRATOR_";
    public const string FileName = "appsettings.json";

    public static void AddSources(IConfigurationBuilder configuration, string root)
    {
        foreach (var path in new[] { Path.Combine(AppContext.BaseDirectory, FileName), UserFile, Path.Combine(root, FileName) }.OfType<string>())
        {
            configuration.AddJsonFile(file =>
            {
                file.Path = path;
                file.Optional = true;
                file.OnLoadException = failed => throw Broken(path, failed.Exception);
                file.ResolveFileProvider();
            });
        }

        configuration.Add(new EnvironmentSource());
    }

    // The innermost error is the parser's, which knows the line.
    private static OrchestratorException Broken(string path, Exception cause) => new(
        ErrorKind.Configuration, $"{path}: {cause.GetBaseException().Message}", "Correct the file.", cause);

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
