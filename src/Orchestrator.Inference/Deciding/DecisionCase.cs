using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Core;
using Orchestrator.Core.Models;

namespace Orchestrator.Inference.Deciding;

/// <summary>A choice of which the right option is known.</summary>
/// <param name="Text">What the options are weighed against.</param>
/// <param name="Options">The options, two at least.</param>
/// <param name="Right">The right one's name.</param>
public sealed record DecisionCase(string Text, IReadOnlyList<Choice> Options, string Right)
{
    private const string BuiltInFile = "decision-cases.jsonl";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
    };

    /// <summary>What kind of choice it is.</summary>
    public DecisionKind Kind => DecisionProfile.KindOf(Options);

    /// <summary>
    /// The cases that come with the library: a tool among described tools, a role among described roles, and a category
    /// among names.
    /// </summary>
    /// <returns>The cases.</returns>
    public static IReadOnlyList<DecisionCase> BuiltIn()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(BuiltInFile)!);
        return Parse(reader.ReadToEnd().Split('\n'), BuiltInFile);
    }

    /// <summary>
    /// Reads cases. Each line is a JSON object with <c>text</c>, <c>options</c>, each with a <c>name</c> and perhaps a
    /// <c>description</c>, and <c>right</c>, the right one's name. A line without options has those of the line before.
    /// </summary>
    /// <param name="lines">The lines; empty ones are skipped.</param>
    /// <param name="file">What to call them in errors.</param>
    /// <returns>The cases, at least one.</returns>
    /// <exception cref="OrchestratorException">A line is no case; the error names file, line and key.</exception>
    public static IReadOnlyList<DecisionCase> Parse(IEnumerable<string> lines, string file)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var cases = new List<DecisionCase>();
        foreach (var (index, line) in lines.Index())
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                cases.Add(ParseLine(line, cases.LastOrDefault()?.Options, $"{file}:{index + 1}"));
            }
        }

        return cases.Count > 0 ? cases : throw Wrong(file, "there is no case in it");
    }

    private static DecisionCase ParseLine(string json, IReadOnlyList<Choice>? before, string place)
    {
        Line line;
        try
        {
            line = JsonSerializer.Deserialize<Line>(json, Json) ?? throw Wrong(place, "it is null");
        }
        catch (JsonException e)
        {
            throw Wrong(place, $"{e.Path}: {e.Message.Split(" Path:")[0]}", e);
        }

        if (string.IsNullOrWhiteSpace(line.Text))
        {
            throw Wrong(place, "text: it is missing or empty");
        }

        var options = line.Options?.Select(option => new Choice(option?.Name ?? "", option?.Description)).ToList() ?? before
            ?? throw Wrong(place, "options: they are missing, and no line before has any");
        if (options.Count < 2)
        {
            throw Wrong(place, "options: a choice needs at least two");
        }

        foreach (var (i, option) in options.Index())
        {
            if (string.IsNullOrWhiteSpace(option.Name))
            {
                throw Wrong(place, $"options[{i}].name: it is missing or empty");
            }

            if (option.Description is { } description && string.IsNullOrWhiteSpace(description))
            {
                throw Wrong(place, $"options[{i}].description: it is empty; leave it out where there is only a name");
            }

            if (options.Take(i).Any(other => other.Name == option.Name))
            {
                throw Wrong(place, $"options[{i}].name: '{option.Name}' occurs twice");
            }
        }

        return options.Any(option => option.Name == line.Right)
            ? new DecisionCase(line.Text, options, line.Right!)
            : throw Wrong(place, line.Right is null ? "right: it is missing" : $"right: '{line.Right}' is none of the options");
    }

    private static OrchestratorException Wrong(string place, string cause, Exception? inner = null) => new(
        ErrorKind.Configuration,
        $"{place}: {cause.TrimEnd('.')}.",
        """Write a JSON object on each line, such as: {"text": "Will it rain?", "options": [{"name": "weather"}, {"name": "news"}], "right": "weather"}""",
        inner);

    private sealed record Line(string? Text = null, IReadOnlyList<Option?>? Options = null, string? Right = null);

    private sealed record Option(string? Name = null, string? Description = null);
}
