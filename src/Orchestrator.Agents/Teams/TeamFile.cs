using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Orchestrator.Agents.Definitions;
using Orchestrator.Core.Teams;

namespace Orchestrator.Agents.Teams;

/// <summary>Reads team files.</summary>
internal static class TeamFile
{
    public static TeamDefinition Read(string path, string text, string sha256)
    {
        var map = DefinitionReader.Read(path, text, TeamShape.File, Check);
        var prompts = map.Map("prompts");
        var planner = map.Map("planner");
        var protocol = map.Map("protocol");
        var budget = map.Map("budget");
        var deliverable = map.Map("deliverable");
        var defaults = new TeamDefinition { Name = "", Description = "", Members = [] };
        return new TeamDefinition
        {
            Name = map.Text("name") ?? Path.GetFileNameWithoutExtension(path),
            Description = map.Text("description")!.Trim(),
            Model = map.Text("model"),
            Members = [.. map.Maps("members").Select(Member)],
            Prompts = new RunPrompts
            {
                Preamble = prompts?.Text("preamble") ?? defaults.Prompts.Preamble,
                Task = prompts?.Text("task") ?? defaults.Prompts.Task,
                Discussion = prompts?.Text("discussion") ?? defaults.Prompts.Discussion,
            },
            Planner = new PlannerDefinition
            {
                Kind = planner?.Text("kind") ?? defaults.Planner.Kind,
                Prompt = planner?.Text("prompt") ?? defaults.Planner.Prompt,
                MaxTasks = planner?.Integer("max_tasks") ?? defaults.Planner.MaxTasks,
                Tasks = [.. (planner?.Maps("tasks") ?? []).Select(Task)],
            },
            Protocol = new ProtocolDefinition
            {
                Kind = protocol?.Text("kind") ?? defaults.Protocol.Kind,
                MaxRounds = protocol?.Integer("max_rounds") ?? defaults.Protocol.MaxRounds,
                Question = protocol?.Text("question"),
                Decision = protocol?.Map("decision") is { } decision ? Decision(decision) : null,
            },
            Budget = new BudgetDefinition
            {
                MaxTokens = budget?.Integer("max_tokens") ?? defaults.Budget.MaxTokens,
                MaxTokensPerTurn = budget?.Integer("max_tokens_per_turn") ?? defaults.Budget.MaxTokensPerTurn,
                MaxToolCalls = budget?.Integer("max_tool_calls") ?? defaults.Budget.MaxToolCalls,
                MaxDuration = budget?.Duration("max_duration") ?? defaults.Budget.MaxDuration,
            },
            Facts = map.Map("facts") is { } facts ? Facts(facts) : null,
            Deliverable = deliverable is null ? null : new DeliverableDefinition
            {
                File = deliverable.Text("file") ?? new DeliverableDefinition().File,
                Prompt = deliverable.Text("prompt") ?? new DeliverableDefinition().Prompt,
                Narrative = deliverable.Text("narrative"),
                Author = deliverable.Text("author"),
                Evidence = deliverable.Text("evidence"),
                Check = deliverable.Text("check"),
            },
            Inputs = map.TextMap("inputs"),
            SourcePath = path,
        };
    }

    private static MemberDefinition Member(DefinitionMap map) => new()
    {
        Name = map.Text("name")!,
        Role = map.Text("role")!.Trim(),
        Description = map.Text("description")!.Trim(),
        Capabilities = map.Texts("capabilities"),
        Plugins = map.Texts("plugins"),
        Prompt = map.Text("prompt"),
        Adapter = map.Text("adapter"),
        Temperature = (float)(map.Number("temperature") ?? 0.7),
    };

    private static TaskDefinition Task(DefinitionMap map) => new()
    {
        Id = map.Text("id")!,
        Description = map.Text("description")!.Trim(),
        Needs = map.Texts("needs"),
        Capability = map.Text("capability"),
    };

    private static DecisionDefinition Decision(DefinitionMap map)
    {
        var defaults = new DecisionDefinition { Question = map.Text("question")! };
        return defaults with
        {
            Options = [.. map.Maps("options").Select(o => new OptionDefinition
            {
                Name = o.Text("name")!,
                Description = o.Text("description"),
                LogPrior = o.Number("log_prior") ?? 0,
            })],
            OptionsFrom = map.Text("options_from"),
            Arguments = map.TextMap("arguments"),
            Evidence = map.Text("evidence") ?? defaults.Evidence,
            Rule = map.Text("rule") ?? defaults.Rule,
            Weight = map.Number("weight") ?? defaults.Weight,
            PerToken = map.Flag("per_token") ?? defaults.PerToken,
            MaxShift = map.Number("max_shift"),
        };
    }

    private static FactsDefinition Facts(DefinitionMap map)
    {
        var defaults = new FactsDefinition { Schema = JsonSerializer.SerializeToElement(map.Anything("schema")) };
        return defaults with
        {
            Prompt = map.Text("prompt") ?? defaults.Prompt,
            MaxFacts = map.Integer("max_facts") ?? defaults.MaxFacts,
            Extract = map.Text("extract"),
        };
    }

    private static IEnumerable<DefinitionError> Check(DefinitionMap team)
    {
        var members = team.Maps("members");
        foreach (var error in Unique(members, "name", "member"))
        {
            yield return error;
        }

        foreach (var member in members.Where(m => m.Text("name") == "user"))
        {
            yield return member.Error("name", "'user' is the person who gives the task; call the member something else");
        }

        if (team.Map("deliverable") is { } deliverable && deliverable.Text("file") is { } file
            && (Path.IsPathRooted(file) || file.Split('/', '\\').Contains("..")))
        {
            yield return deliverable.Error("file", $"'{file}' leaves the run's output folder; give a name inside it");
        }

        string[] names = [.. members.Select(m => m.Text("name")!)];
        if (team.Map("deliverable") is { } written && written.Text("author") is { } author && !names.Contains(author))
        {
            yield return written.Error("author", $"there is no member '{author}'{Spelling.Hint(author, names)}");
        }

        if (team.Map("facts") is { } facts && facts.Anything("schema") is not JsonObject)
        {
            yield return facts.Error("schema", "a JSON schema is expected: an object with 'type' and 'properties'");
        }

        if (team.Map("facts") is { } extracted && extracted.Text("extract") is { } pattern
            && CheckExtract(pattern, extracted.Anything("schema") as JsonObject) is { } wrong)
        {
            yield return extracted.Error("extract", wrong);
        }

        if (team.Map("protocol")?.Map("decision") is { } decision)
        {
            foreach (var error in CheckDecision(decision))
            {
                yield return error;
            }
        }

        if (team.Map("planner") is { } planner)
        {
            foreach (var error in CheckPlan(planner, members))
            {
                yield return error;
            }
        }
    }

    private static IEnumerable<DefinitionError> CheckDecision(DefinitionMap decision)
    {
        var options = decision.Maps("options");
        if ((options.Count > 0) == (decision.Text("options_from") is not null))
        {
            yield return decision.Error("options", "a decision needs its options or 'options_from', one of the two");
        }

        foreach (var error in Unique(options, "name", "option"))
        {
            yield return error;
        }
    }

    private static string? CheckExtract(string pattern, JsonObject? schema)
    {
        try
        {
            var regex = new Regex(pattern, RegexOptions.NonBacktracking);
            string[] groups = [.. regex.GetGroupNames().Where(n => !char.IsAsciiDigit(n[0]))];
            string[] properties = [.. (schema?["properties"] as JsonObject ?? []).Select(p => p.Key)];
            return groups.Length == 0 ? "the expression has no named group, as in (?<service>\\w+)"
                : groups.FirstOrDefault(g => !properties.Contains(g)) is { } unknown ? $"the schema has no property '{unknown}'{Spelling.Hint(unknown, properties)}"
                : null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return $"this is no regular expression without backtracking: {e.Message}";
        }
    }

    private static IEnumerable<DefinitionError> CheckPlan(DefinitionMap planner, IReadOnlyList<DefinitionMap> members)
    {
        var tasks = planner.Maps("tasks");
        if (planner.Text("kind") == "fixed" && tasks.Count == 0)
        {
            yield return planner.Error("kind", "a fixed plan needs its tasks; add 'tasks', or let the kind be graph");
        }

        foreach (var error in Unique(tasks, "id", "task"))
        {
            yield return error;
        }

        string[] ids = [.. tasks.Select(t => t.Text("id")!)];
        string[] capabilities = [.. members.SelectMany(m => m.Texts("capabilities")).Distinct()];
        foreach (var task in tasks)
        {
            var needs = task.Texts("needs");
            for (var i = 0; i < needs.Count; i++)
            {
                if (!ids.Contains(needs[i]))
                {
                    yield return task.ItemError("needs", i, $"there is no task '{needs[i]}'{Spelling.Hint(needs[i], ids)}");
                }
            }

            // A member without capabilities takes any task.
            if (task.Text("capability") is { } capability && !capabilities.Contains(capability)
                && members.All(m => m.Texts("capabilities").Count > 0))
            {
                yield return task.Error("capability", $"no member has the capability '{capability}'{Spelling.Hint(capability, capabilities)}");
            }
        }

        if (Cycle(tasks) is { } cycle)
        {
            yield return cycle[0].Error("needs", $"the tasks wait for each other: {string.Join(" → ", cycle.Append(cycle[0]).Select(t => t.Text("id")))}");
        }
    }

    private static IEnumerable<DefinitionError> Unique(IReadOnlyList<DefinitionMap> items, string key, string noun)
    {
        var seen = new Dictionary<string, DefinitionMap>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            var name = item.Text(key)!;
            if (!seen.TryAdd(name, item))
            {
                yield return item.Error(key, $"there are two {noun}s '{name}'; the first is in line {seen[name].Position.Line}");
            }
        }
    }

    /// <summary>Tasks that wait for each other in a ring, or null; depth-first search.</summary>
    private static List<DefinitionMap>? Cycle(IReadOnlyList<DefinitionMap> tasks)
    {
        var byId = tasks.DistinctBy(t => t.Text("id")).ToDictionary(t => t.Text("id")!);
        var done = new HashSet<string>();
        var path = new List<DefinitionMap>();
        return tasks.Select(Visit).FirstOrDefault(c => c is not null);

        List<DefinitionMap>? Visit(DefinitionMap task)
        {
            if (path.IndexOf(task) is var start and >= 0)
            {
                return path[start..];
            }

            if (done.Contains(task.Text("id")!))
            {
                return null;
            }

            path.Add(task);
            var found = task.Texts("needs").Where(byId.ContainsKey).Select(n => Visit(byId[n])).FirstOrDefault(c => c is not null);
            path.Remove(task);
            done.Add(task.Text("id")!);
            return found;
        }
    }
}
