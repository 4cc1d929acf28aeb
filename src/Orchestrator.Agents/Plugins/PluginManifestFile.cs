using Orchestrator.Agents.Definitions;
using Orchestrator.Agents.Tools;

namespace Orchestrator.Agents.Plugins;

/// <summary>Reads <c>plugin.yaml</c>.</summary>
internal static class PluginManifestFile
{
    public const string FileName = "plugin.yaml";

    private static readonly TextShape FunctionName = new("^[A-Za-z][A-Za-z0-9_-]*$", "letters, digits, '_' and '-'");
    private static readonly TextShape Effects = TextShape.Choice("none", "output", "any");
    private static readonly TextShape Approvals = TextShape.Choice("ask", "always", "never");

    private static readonly ObjectShape Function = new(
        "function",
        new("name", FunctionName, "The function's name.", Required: true),
        new("side_effects", Effects, "What it may change: none, output (the run's output folder), or any."),
        new("approval", Approvals, "How a call with side effects is approved."),
        new("deadline", new DurationShape(), "How long a call may take, as 500ms, 30s or 5m."));

    public static ObjectShape Shape { get; } = new(
        "plugin",
        new("name", new TextShape("^[A-Za-z][A-Za-z0-9_]*$", "letters, digits and '_', beginning with a letter"), "The plugin's name; tools are called name-function.", Required: true),
        new("description", TextShape.Any, "What it is for, in a sentence.", Required: true),
        new("kind", TextShape.Choice("assembly", "prompts", "mcp"), "Where its functions come from.", Required: true),
        new("assembly", TextShape.Any, "The .NET assembly, relative to this file (kind: assembly)."),
        new("prompts", TextShape.Any, "The folder of prompts, relative to this file (kind: prompts).") { Default = "." },
        new("command", TextShape.Any, "The command that starts the server (kind: mcp)."),
        new("arguments", new ListShape(TextShape.Any), "The command's arguments."),
        new("environment", new MapShape(TextShape.Any), "The server's environment variables."),
        new("enabled", new FlagShape(), "Whether teams may use it without it being switched on in the settings.") { Default = true },
        new("side_effects", Effects, "What functions may change that are not listed below.") { Default = "any" },
        new("approval", Approvals, "How calls with side effects are approved.") { Default = "ask" },
        new("deadline", new DurationShape(), "How long a call may take.") { Default = "30s" },
        new("functions", new ListShape(Function), "The rules of single functions."));

    public static string JsonSchema => DefinitionSchema.Write("Plugin", Shape);

    public static PluginManifest Read(string path, string text, string sha256)
    {
        var map = DefinitionReader.Read(path, text, Shape, Check);
        var policy = Policy(map, new ToolPolicy());
        return new PluginManifest
        {
            Name = map.Text("name")!,
            Description = map.Text("description")!.Trim(),
            Kind = Enum.Parse<PluginKind>(map.Text("kind")!, ignoreCase: true),
            Folder = Path.GetDirectoryName(path)!,
            Assembly = map.Text("assembly"),
            Prompts = map.Text("prompts") ?? ".",
            Command = map.Text("command"),
            Arguments = map.Texts("arguments"),
            Environment = map.TextMap("environment"),
            Enabled = map.Flag("enabled") ?? true,
            Policy = policy,
            Functions = map.Maps("functions").ToDictionary(f => f.Text("name")!, f => Policy(f, policy)),
        };
    }

    private static ToolPolicy Policy(DefinitionMap map, ToolPolicy defaults) => defaults with
    {
        SideEffects = map.Text("side_effects") is { } effects ? Enum.Parse<SideEffects>(effects, ignoreCase: true) : defaults.SideEffects,
        Approval = map.Text("approval") is { } approval ? Enum.Parse<Approval>(approval, ignoreCase: true) : defaults.Approval,
        Deadline = map.Duration("deadline") ?? defaults.Deadline,
    };

    private static IEnumerable<DefinitionError> Check(DefinitionMap map)
    {
        var needed = map.Text("kind") switch { "assembly" => "assembly", "mcp" => "command", _ => null };
        if (needed is not null && map.Text(needed) is null)
        {
            yield return map.Error("kind", $"a plugin of this kind needs '{needed}'");
        }

        foreach (var key in new[] { "assembly", "prompts" })
        {
            if (map.Text(key) is { } path && (Path.IsPathRooted(path) || path.Split('/', '\\').Contains("..")))
            {
                yield return map.Error(key, $"'{path}' leaves the plugin's folder");
            }
        }

        var functions = map.Maps("functions");
        for (var i = 0; i < functions.Count; i++)
        {
            if (functions.Take(i).Any(f => f.Text("name") == functions[i].Text("name")))
            {
                yield return functions[i].Error("name", $"there are two functions '{functions[i].Text("name")}'");
            }
        }
    }
}
