using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Orchestrator.Agents;
using Orchestrator.Coordination;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Store;
using Orchestrator.Server;

namespace Orchestrator.Console.Hosting;

/// <summary>A setting as a person sees it.</summary>
/// <param name="Key">Its name, with the section.</param>
/// <param name="Value">Its value; empty for none.</param>
/// <param name="Source">The file or other place that sets it, or <c>default</c>.</param>
/// <param name="IsRead">Whether anything reads it; a misspelt name is read by nothing.</param>
internal sealed record SettingRow(string Key, string Value, string Source, bool IsRead);

/// <summary>Lists the settings that there are, and those that are set.</summary>
internal static partial class SettingList
{
    private const string Default = "default";
    private static readonly string[] SecretEndings = ["Token", "Password", "Secret", "ApiKey"];

    private static readonly (string Section, object Defaults)[] Parts =
    [
        (InferenceOptions.Section, new InferenceOptions()),
        (AgentsOptions.Section, new AgentsOptions()),
        (CoordinationOptions.Section, new CoordinationOptions()),
        (ModelStoreOptions.Section, new ModelStoreOptions()),
        (ServerOptions.Section, new ServerOptions()),
    ];

    /// <summary>Lists all settings, part by part; what is set and not read comes last.</summary>
    public static IReadOnlyList<SettingRow> Read(IConfigurationRoot configuration)
    {
        var rows = new List<SettingRow>();
        var read = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (section, defaults) in Parts)
        {
            foreach (var property in defaults.GetType().GetProperties().Where(CanBeSet))
            {
                var key = $"{section}:{property.Name}";
                var set = ValuesOf(configuration.GetSection(key));
                rows.AddRange(set.Count == 0
                    ? [new SettingRow(key, Shown(key, Format(property.GetValue(defaults))), Default, true)]
                    : set.Select(pair => new SettingRow(key + pair.Key[key.Length..], Shown(key, pair.Value!), SourceOf(configuration, pair.Key), true)));
                read.UnionWith(set.Select(pair => pair.Key));
            }
        }

        rows.AddRange(ValuesOf(configuration.GetSection(InferenceOptions.Section))
            .Where(pair => !read.Contains(pair.Key))
            .Select(pair => new SettingRow(pair.Key, Shown(pair.Key, pair.Value!), SourceOf(configuration, pair.Key), false)));
        return rows;
    }

    /// <summary>Why a setting is refused, with its name in place of what the validation of options calls it.</summary>
    /// <param name="options">The options that are not valid.</param>
    /// <param name="failure">What the validation says.</param>
    public static string Explain(Type options, string failure)
    {
        var section = Parts.FirstOrDefault(part => part.Defaults.GetType() == options).Section;
        return section is not null && Refusal().Match(failure) is { Success: true, Groups: var said }
            ? $"{section}:{said["member"].Value}: {said["error"].Value}"
            : failure;
    }

    [GeneratedRegex(@"members: '(?<member>\w+)' with the error: '(?<error>.*)'\.$", RegexOptions.Singleline)]
    private static partial Regex Refusal();

    private static List<KeyValuePair<string, string?>> ValuesOf(IConfigurationSection section) =>
        [.. section.AsEnumerable().Where(pair => pair.Value is not null).OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase)];

    private static bool CanBeSet(PropertyInfo property) =>
        property.PropertyType == typeof(IList<string>)
        || (property.CanWrite && !typeof(Delegate).IsAssignableFrom(property.PropertyType));

    private static string Format(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        IDictionary pairs => string.Join(", ", pairs.Keys.Cast<object>().Select(key => $"{key}={pairs[key]}")),
        IEnumerable items => string.Join(", ", items.Cast<object>()),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

    private static string Shown(string key, string value) =>
        value.Length > 0 && SecretEndings.Any(ending => key.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) ? "(secret)" : value;

    private static string SourceOf(IConfigurationRoot configuration, string key) =>
        configuration.Providers.Last(p => p.TryGet(key, out _)) switch
        {
            FileConfigurationProvider { Source: { FileProvider: { } files, Path: { } path } } =>
                files.GetFileInfo(path).PhysicalPath ?? path,
            var provider => provider.ToString() ?? provider.GetType().Name,
        };
}
