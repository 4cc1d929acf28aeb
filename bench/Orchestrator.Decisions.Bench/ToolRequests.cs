using System.Text.Json;
using Orchestrator.Core.Models;

namespace Orchestrator.Decisions.Bench;

/// <summary>Requests written by hand, each with the tool that it needs, or none.</summary>
internal sealed class ToolRequests
{
    private readonly Dictionary<string, string> _tools;
    private readonly Dictionary<string, string[]> _sets;
    private readonly (string Text, string? Tool)[] _requests;

    private ToolRequests(JsonElement root)
    {
        _tools = root.GetProperty("tools").Deserialize<Dictionary<string, string>>()!;
        _sets = root.GetProperty("sets").Deserialize<Dictionary<string, string[]>>()!;
        _requests = [.. root.GetProperty("requests").EnumerateArray().Select(r => (r[0].GetString()!, r[1].GetString()))];
    }

    public static ToolRequests Read(string file) => new(JsonDocument.Parse(File.ReadAllText(file)).RootElement);

    /// <summary>Prints, for each set of tools, how often the right one is chosen, and none where none is needed.</summary>
    public async Task RunAsync(IChoiceScorer scorer)
    {
        (string Name, Func<string, Choice[], ChoiceQuestion> Ask)[] wordings =
        [
            ("plain text, uncalibrated", (text, tools) => new ChoiceQuestion
            {
                Evidence = text,
                Options = [.. tools, new Choice(ToolQuestions.Answer, "Answers at once from what is already known, without looking anything up.")],
                ChannelTemplate = "Function {name}: {description}\nA request that it answers: ",
            }),
            ("as agents decide", (text, tools) => ToolQuestions.WhichOrAnswer(text, tools)),
        ];
        foreach (var (name, ask) in wordings)
        {
            foreach (var (set, members) in _sets)
            {
                Choice[] tools = [.. members.Select(m => new Choice(m, _tools[m]))];
                var (needs, named, called, idle, left) = (0, 0, 0, 0, 0);
                foreach (var (text, tool) in _requests.Where(r => r.Tool is null || members.Contains(r.Tool)))
                {
                    var chosen = (await scorer.ScoreAsync(ask(text, tools))).Best.Choice.Name;
                    needs += tool is null ? 0 : 1;
                    named += chosen == tool ? 1 : 0;
                    called += tool is not null && chosen != ToolQuestions.Answer ? 1 : 0;
                    idle += tool is null ? 1 : 0;
                    left += tool is null && chosen == ToolQuestions.Answer ? 1 : 0;
                }

                Console.WriteLine($"{name,-26} {set,-14} right tool {named,2} of {needs} (any tool {called,2}), none where none is needed {left,2} of {idle}");
            }
        }
    }
}
