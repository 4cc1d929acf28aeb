using System.Text.Json;

namespace Orchestrator.ToolCalls.Bench;

/// <summary>A request, the functions on offer, and the calls that count as right.</summary>
/// <param name="Id">The case's id in the suite.</param>
/// <param name="Messages">What is asked, as OpenAI's API takes it.</param>
/// <param name="Functions">The functions on offer, as the suite writes them.</param>
/// <param name="Function">The function to call.</param>
/// <param name="Answer">For each parameter, the values that are right; an empty text among them allows leaving it out.</param>
internal sealed record ToolCase(
    string Id, JsonElement Messages, IReadOnlyList<JsonElement> Functions, string Function, JsonElement Answer)
{
    /// <summary>Reads a suite in the format of the Berkeley Function Calling Leaderboard, one case a line.</summary>
    /// <param name="suite">Lines with id, question and function, and perhaps ground_truth.</param>
    /// <param name="answers">Lines with id and ground_truth, where they are kept apart; null where the suite has them.</param>
    public static IEnumerable<ToolCase> Read(string suite, string? answers)
    {
        var truths = answers is null ? null : File.ReadLines(answers).Where(l => l.Length > 0)
            .Select(l => JsonDocument.Parse(l).RootElement)
            .ToDictionary(e => e.GetProperty("id").GetString()!, e => e.GetProperty("ground_truth"));
        foreach (var line in File.ReadLines(suite).Where(l => l.Length > 0))
        {
            var root = JsonDocument.Parse(line).RootElement;
            var id = root.GetProperty("id").GetString()!;
            var truth = truths is null ? root.GetProperty("ground_truth") : truths[id];
            var call = truth[0].EnumerateObject().Single();
            yield return new ToolCase(
                id, root.GetProperty("question")[0], [.. root.GetProperty("function").EnumerateArray()], call.Name, call.Value);
        }
    }
}
