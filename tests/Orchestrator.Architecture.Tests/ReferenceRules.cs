using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Orchestrator.Architecture.Tests;

/// <summary>Who may know whom: the table in docs/architecture.md, held.</summary>
public sealed partial class ReferenceRules
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Core"] = [],
        ["Inference"] = ["Core"],
        ["Agents"] = ["Core"],
        ["Coordination"] = ["Core", "Agents"],
        ["Runs"] = ["Core"],
        ["Server"] = ["Core", "Agents", "Coordination", "Runs"],
        ["Testing"] = ["Core", "Inference", "Agents", "Coordination", "Runs"],
        ["Console"] = ["Core", "Inference", "Agents", "Coordination", "Runs", "Server"],
    };

    private static readonly Dictionary<string, string> Homes = new()
    {
        ["Microsoft.SemanticKernel"] = "Agents",
        ["YamlDotNet"] = "Agents",
        ["ModelContextProtocol"] = "Agents",
        ["Handlebars"] = "Agents",
        ["Fluid"] = "Agents",
        ["Microsoft.Agents.AI"] = "Coordination",
        ["Microsoft.AspNetCore"] = "Server",
        ["Spectre.Console"] = "Console",
        ["System.CommandLine"] = "Console",
    };

    public static TheoryData<string> Projects()
    {
        var data = new TheoryData<string>();
        foreach (var project in ProjectFiles())
        {
            data.Add(project);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_it_may_know(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project)["Orchestrator.".Length..];
        Assert.True(Allowed.ContainsKey(name), $"Add {name} to the table of allowed references.");
        var references = XDocument.Load(project).Descendants("ProjectReference")
            // Built before it, not known to it: a plugin that it loads by name.
            .Where(r => (string?)r.Attribute("ReferenceOutputAssembly") != "false")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value)["Orchestrator.".Length..]);
        Assert.Empty(references.Except(Allowed[name]));
    }

    [Fact]
    public void The_table_in_the_documentation_is_the_one_that_is_held()
    {
        var rows = Row().Matches(File.ReadAllText(Path.Combine(Root, "docs", "architecture.md")));
        var written = rows.ToDictionary(row => row.Groups["name"].Value, row => row.Groups["knows"].Value);
        var held = Allowed.ToDictionary(
            rule => rule.Key,
            rule => rule.Key == "Console" ? "all" : rule.Value.Length == 0 ? "–" : string.Join(", ", rule.Value));
        Assert.Equal(held, written);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_heavy_dependency_is_referenced_only_by_its_home(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project)["Orchestrator.".Length..];
        var packages = XDocument.Load(project).Descendants("PackageReference")
            .Concat(XDocument.Load(project).Descendants("FrameworkReference"))
            .Select(r => r.Attribute("Include")!.Value);
        var strangers =
            from package in packages
            from home in Homes
            where package.StartsWith(home.Key, StringComparison.Ordinal) && home.Value != name
            select $"{package} belongs to {home.Value}";
        Assert.Empty(strangers);
    }

    [Theory]
    [InlineData("Gguf")]
    [InlineData("Templates")]
    [InlineData("Constraints")]
    [InlineData("Scheduling")]
    [InlineData("Deciding")]
    [InlineData("Chat")]
    public void What_stands_above_the_driver_never_names_the_native_library(string folder)
    {
        var path = Path.Combine(Root, "src", "Orchestrator.Inference", folder);
        var guilty = Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories)
            .Where(file => File.ReadAllText(file).Contains("Orchestrator.Inference.Native", StringComparison.Ordinal));
        Assert.Empty(guilty);
    }

    [Fact]
    public void Source_files_stay_under_600_lines()
    {
        var tooLong = new[] { "src", "tests", "bench", "samples" }
            .Select(folder => Path.Combine(Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(file => File.ReadLines(file).Count() > 600);
        Assert.Empty(tooLong);
    }

    private static IEnumerable<string> ProjectFiles() =>
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories).Order();

    [GeneratedRegex(@"^\| `Orchestrator\.(?<name>\w+)` \|[^|]*\|[^|]*\| (?<knows>[^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    private static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location);
        while (folder is not null && !File.Exists(Path.Combine(folder, "Orchestrator.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests run from inside the repository.");
    }
}
