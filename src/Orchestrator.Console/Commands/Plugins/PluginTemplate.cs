using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Orchestrator.Core;

namespace Orchestrator.Console.Commands.Plugins;

/// <summary>
/// The files of a new plugin. They are embedded from <c>Templates/plugin</c>; the package versions are those that this
/// program was built with.
/// </summary>
internal static partial class PluginTemplate
{
    private const string Prefix = "Templates/plugin/";
    private const string Versions = "Directory.Packages.props";

    private static readonly Assembly Resources = typeof(PluginTemplate).Assembly;

    /// <exception cref="OrchestratorException">The name is not allowed.</exception>
    public static string CheckName(string name) => Name().IsMatch(name) ? name : throw new OrchestratorException(
        ErrorKind.Usage, $"'{name}' can't be a plugin's name.", "Use letters, digits and '_', beginning with a letter.");

    /// <summary>Writes the files.</summary>
    /// <returns>Their names, relative to the folder.</returns>
    /// <exception cref="OrchestratorException">The folder holds something already.</exception>
    public static IReadOnlyList<string> Write(string name, string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new OrchestratorException(ErrorKind.Usage, $"{folder} is there already.", "Take another name, or remove the folder.");
        }

        var versions = ReadVersions();
        var written = new List<string>();
        foreach (var resource in Resources.GetManifestResourceNames()
            .Where(r => r.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal))
        {
            var file = Fill(resource[Prefix.Length..], name, versions);

            // So that the build of the repository doesn't take the templates for its own files.
            file = file.EndsWith(".txt", StringComparison.Ordinal) ? file[..^".txt".Length] : file;
            var path = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, Fill(Read(resource), name, versions));
            written.Add(file);
        }

        return written;
    }

    private static string Fill(string text, string name, Dictionary<string, string> versions) => Placeholder().Replace(text, match =>
        match.Groups[1].Value switch
        {
            "name" => name,
            "Name" => char.ToUpperInvariant(name[0]) + name[1..],
            var package => versions[package],
        });

    private static Dictionary<string, string> ReadVersions() => XDocument.Parse(Read(Versions))
        .Descendants("PackageVersion")
        .ToDictionary(v => v.Attribute("Include")!.Value, v => v.Attribute("Version")!.Value);

    private static string Read(string resource)
    {
        using var reader = new StreamReader(Resources.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]*$")]
    private static partial Regex Name();

    [GeneratedRegex(@"__([A-Za-z][A-Za-z0-9.]*)__")]
    private static partial Regex Placeholder();
}
