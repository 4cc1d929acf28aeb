using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Deciding;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// What the words and the numbers of a request say about the functions on offer. A small model compares texts as a whole;
/// that a function's own word stands in the request, or that it takes two numbers and the request has one, weighs too
/// little with it.
/// </summary>
internal static partial class ToolClues
{
    // Of 241 requests, the right function did not fit the numbers of one in 18, and four of nine wrong ones did not: e² times as many.
    private const double Mismatch = 2;

    private const int ShortestWord = 3;

    // "subscriptions" and "subscribe" are one word, and no language's endings have to be known.
    private const int Beginning = 5;

    /// <summary>How likely each function is before the model weighs it.</summary>
    /// <param name="request">What the user said.</param>
    /// <param name="tools">The functions on offer.</param>
    /// <returns>Log-priors in the order of the functions, not normalised.</returns>
    public static IReadOnlyList<double> LogPriors(string request, IReadOnlyList<AIFunctionDeclaration> tools)
    {
        var said = Words(request);
        var numbers = new RequestValues(request).Numbers.Count;
        var words = tools.Select(tool => Words(Text(tool))).ToList();

        // The inverse frequency of a word among the functions: nothing where all of them have it.
        double Weight(string word) => Math.Log((double)tools.Count / words.Count(w => w.Contains(word)));
        return [.. tools.Zip(words, (tool, own) => own.Where(said.Contains).Sum(Weight) - (Fits(tool.JsonSchema, numbers) ? 0 : Mismatch))];
    }

    /// <summary>Whether a request has the numbers that a function needs, and none that it has no place for.</summary>
    private static bool Fits(JsonElement schema, int numbers)
    {
        if (ParameterSchema.Parameters(schema) is not { } parameters)
        {
            return true;
        }

        var required = ParameterSchema.Required(schema);
        var (needed, places) = (0, 0);
        foreach (var parameter in parameters.Where(p => ParameterSchema.IsNumeric(p.Value)))
        {
            // A list has room for all, and two at least make one.
            var isList = ParameterSchema.Kind(parameter.Value) == "array";
            needed += !required.Contains(parameter.Name) ? 0 : isList ? 2 : 1;
            places += isList ? numbers : 1;
        }

        return needed <= numbers && numbers <= places;
    }

    private static string Text(AIFunctionDeclaration tool) => string.Join(
        ' ',
        [
            ChannelWording.Readable(tool.Name),
            tool.Description,
            .. (ParameterSchema.Parameters(tool.JsonSchema) ?? []).SelectMany(p => new[] { ChannelWording.Readable(p.Name), ParameterSchema.Description(p.Value) }),
        ]);

    private static HashSet<string> Words(string text) =>
        [.. Word().Matches(text).Where(m => m.Length >= ShortestWord).Select(m => m.Value[..Math.Min(Beginning, m.Length)].ToLowerInvariant())];

    [GeneratedRegex(@"\p{L}+")]
    private static partial Regex Word();
}
