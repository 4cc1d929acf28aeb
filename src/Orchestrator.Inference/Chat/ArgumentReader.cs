using System.Text.Json;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// Reads a function's arguments out of a request: each value is the likeliest of those that the request, the schema's
/// enumerations and its defaults offer. A small model copies badly when it writes freely, and recognises well.
/// </summary>
/// <param name="engine">The model.</param>
/// <param name="format">How it writes arguments.</param>
internal sealed class ArgumentReader(IInferenceEngine engine, IToolCallFormat format)
{
    private const int MaxCandidates = 96;
    private const int Beginnings = 4;

    /// <summary>Reads arguments.</summary>
    /// <param name="prompt">The prompt up to the arguments.</param>
    /// <param name="schema">The function's parameters as a JSON schema.</param>
    /// <param name="request">What the user said.</param>
    /// <param name="origin">Who asks.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>The arguments; null where a required parameter is of a kind, or has a value, that only the model can write.</returns>
    public async Task<Dictionary<string, object?>?> ReadAsync(
        IReadOnlyList<int> prompt, JsonElement schema, string request, ModelRequest origin, CancellationToken cancellationToken)
    {
        if (ParameterSchema.Parameters(schema) is not { } properties)
        {
            return null;
        }

        var required = ParameterSchema.Required(schema);
        var values = new RequestValues(request);
        var numeric = properties.Count(p => ParameterSchema.IsNumeric(p.Value));
        var used = new List<string>();
        var arguments = new Dictionary<string, object?>();
        var text = "";
        var left = properties.Count(p => required.Contains(p.Name));
        foreach (var property in properties)
        {
            if (!required.Contains(property.Name) && !Mentions(property, values, used))
            {
                continue;
            }

            var isLast = required.Contains(property.Name) && --left == 0;
            var before = text + format.BeforeArgument(property.Name, arguments.Count == 0);
            var value = await BestAsync(
                prompt, before, property, values, used, numeric, isLast, origin, cancellationToken).ConfigureAwait(false);
            if (value is null)
            {
                if (required.Contains(property.Name))
                {
                    return null;
                }

                continue;
            }

            used.AddRange(value.StartsWith('[') ? value.Trim('[', ']').Split(", ") : [value]);
            var json = JsonSerializer.Deserialize<JsonElement>(value);
            arguments[property.Name] = json;
            text = before + format.Argument(json);
        }

        return arguments;
    }

    /// <summary>
    /// Whether a request speaks of an optional parameter: it names an option or the parameter (a switch by the last word
    /// of its name, as "include_wind" is about wind), or has a number or a day that nothing else took.
    /// </summary>
    private static bool Mentions(JsonProperty property, RequestValues values, List<string> used)
    {
        return ParameterSchema.Options(property.Value) is { } options && ParameterSchema.Kind(property.Value) != "boolean"
            ? options.Any(o => values.Names(o.Trim('"')))
            : ParameterSchema.Kind(property.Value) switch
            {
                "integer" or "number" => values.Numbers.Any(n => !used.Any(u => u == n || (u.StartsWith('"') && u.Contains(n, StringComparison.Ordinal)))),
                "string" when ParameterSchema.IsDate(property.Value) => values.Dates.Any(d => !used.Contains(CallJson.Quote(d))),
                "string" => values.Names(ChannelWording.Readable(property.Name)),
                "boolean" => values.Names(ChannelWording.Readable(property.Name).Split(' ')[^1]),
                _ => false,
            };
    }

    private async Task<string?> BestAsync(
        IReadOnlyList<int> prompt,
        string before,
        JsonProperty property,
        RequestValues values,
        List<string> used,
        int numeric,
        bool isLast,
        ModelRequest origin,
        CancellationToken cancellationToken)
    {
        int[] prefix = [.. prompt, .. engine.Tokenizer.Tokenize(before, parseSpecial: false)];
        var schema = property.Value;
        var name = ChannelWording.Readable(property.Name);
        var candidates = Candidates(schema, values, used, numeric)?.Distinct(StringComparer.Ordinal).Take(MaxCandidates).ToList();
        if (candidates is null && ParameterSchema.Kind(schema) == "string")
        {
            // Where texts begin is found first, then where they end.
            var first = Enumerable.Range(0, values.Words).Select(i => (Word: i, Text: values.From(i).FirstOrDefault())).Where(w => w.Text is not null).ToList();
            if (first.Count == 0)
            {
                return null;
            }

            var starts = await ScoreAsync(prefix, first.Select(w => format.Argument(JsonSerializer.SerializeToElement(w.Text), isWhole: false)), origin, cancellationToken).ConfigureAwait(false);
            candidates =
            [
                .. values.Quotations.Select(CallJson.Quote),
                .. first.Index().OrderByDescending(w => starts[w.Index]).Take(Beginnings).SelectMany(w => values.From(w.Item.Word)).Select(CallJson.Quote),
            ];
            candidates = [.. candidates.Distinct(StringComparer.Ordinal).Where(c => !used.Contains(c) && IsText(c.Trim('"')))];
        }

        if (candidates is null or [])
        {
            return null;
        }

        if (candidates is [var only])
        {
            return only;
        }

        // A parameter's own name is no value of it. A number is for a parameter that takes numbers, and a day for one that
        // takes days, where there are such.
        bool IsText(string value) => !value.Equals(name, StringComparison.OrdinalIgnoreCase) && !(numeric > 0 && values.Numbers.Contains(value)) && !values.Dates.Any(d => value.Contains(d, StringComparison.Ordinal));

        var scores = await ScoreAsync(prefix, candidates.Select(c => format.Argument(JsonSerializer.Deserialize<JsonElement>(c)) + format.BehindArgument(isLast)), origin, cancellationToken).ConfigureAwait(false);
        return candidates[Array.IndexOf(scores, scores.Max())];
    }

    private async Task<double[]> ScoreAsync(
        int[] prefix, IEnumerable<string> texts, ModelRequest origin, CancellationToken cancellationToken)
    {
        var result = await engine.ScoreAsync(
            new ScoreRequest
            {
                Sequences = [.. texts.Select(text => new ScoreSequence(prefix, engine.Tokenizer.Tokenize(text, parseSpecial: false)))],
                Origin = origin,
            },
            cancellationToken).ConfigureAwait(false);
        return [.. result.LogProbabilities.Select(l => l.Sum(x => (double)x))];
    }

    /// <summary>What a parameter may be; null for a text, none where the request has nothing for it.</summary>
    private static IEnumerable<string>? Candidates(JsonElement schema, RequestValues values, List<string> used, int numeric)
    {
        if (ParameterSchema.Options(schema) is { } options)
        {
            // An option that the request names is the one that it means.
            var named = options.Where(o => values.Names(o.Trim('"'))).ToList();
            return named.Count > 0 ? named : options;
        }

        switch (ParameterSchema.Kind(schema))
        {
            case "integer":
                return Unused(values.Numbers.Where(n => !n.Contains('.', StringComparison.Ordinal)), used);
            case "number":
                return Unused(values.Numbers, used);
            case "string":
                return ParameterSchema.IsDate(schema) && values.Dates.Any() ? values.Dates.Select(CallJson.Quote) : null;
            case "array" when schema.TryGetProperty("items", out var items) && ParameterSchema.Options(items) is null:
                return ParameterSchema.Kind(items) switch
                {
                    "integer" or "number" => numeric == 1 && values.Numbers.Count > 0 ? [values.NumberLists.MaxBy(l => l.Length)!] : values.NumberLists,
                    "string" => values.TextLists,
                    _ => [],
                };
            default:
                return [];
        }
    }

    /// <summary>A number stands for one parameter, as long as there are others.</summary>
    private static IEnumerable<string> Unused(IEnumerable<string> numbers, List<string> used)
    {
        var all = numbers.ToList();
        var left = all.Where(n => all.Count(x => x == n) > used.Count(u => u == n)).ToList();
        return left.Count > 0 ? left : all;
    }
}
