using System.Text.RegularExpressions;
using Orchestrator.Agents.Definitions;
using Orchestrator.Core;

namespace Orchestrator.Agents.Teams;

/// <summary>Teams to begin with.</summary>
public static class TeamTemplates
{
    private static readonly Dictionary<string, string> Templates = new(StringComparer.Ordinal)
    {
        ["pair"] = Shipped("pair"),
        ["research"] = """
            description: Readers look through a folder of texts, and the team settles what they say.

            members:
              - name: scout
                role: reader
                description: Searches files for words and names and notes where they stand.
                capabilities: [searching]
                plugins: [search, files-list]
                prompt: concise
                temperature: 0.2
              - name: reader
                role: reader
                description: Reads the passages that others found and says what they mean.
                capabilities: [reading]
                plugins: [files-read]
                prompt: concise
              - name: skeptic
                role: critic
                description: Asks what else could explain what was found.
                capabilities: [reviewing]
                prompt: concise

            planner:
              kind: graph
              max_tasks: 5

            protocol:
              kind: moderated
              max_rounds: 2
              question: What do the texts say about the task?

            budget:
              max_tokens: 100000
              max_tool_calls: 40
              max_duration: 15m

            inputs:
              texts: .

            """,
    };

    /// <summary>The names of the templates; the first is the default.</summary>
    public static IReadOnlyList<string> Names { get; } = ["pair", "research"];

    /// <summary>Writes a team's file.</summary>
    /// <param name="name">The new team's name.</param>
    /// <param name="template">One of <see cref="Names"/>.</param>
    /// <returns>The file's text.</returns>
    /// <exception cref="OrchestratorException">The name is not allowed, or there is no such template.</exception>
    public static string Create(string name, string template)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(template);
        if (!Regex.IsMatch(name, Shape.NamePattern))
        {
            throw new OrchestratorException(
                ErrorKind.Usage, $"'{name}' can't be a team's name.", "Use letters, digits, '-' and '_', beginning with a letter.");
        }

        return Templates.TryGetValue(template, out var text)
            ? $"# yaml-language-server: $schema=team.schema.json\nname: {name}\n{text}"
            : throw new OrchestratorException(
                ErrorKind.Usage, Spelling.Sentence($"There is no template '{template}'{Spelling.Hint(template, Templates.Keys)}"), $"Take one of {string.Join(", ", Names)}.");
    }

    // What a team begins with is one that is used, and not a copy of it.
    private static string Shipped(string team)
    {
        using var reader = new StreamReader(typeof(TeamTemplates).Assembly.GetManifestResourceStream($"{team}.yaml")!);
        return reader.ReadToEnd().Split($"name: {team}\n", 2)[1];
    }
}
