using System.Collections;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Prompts;

/// <summary>
/// Makes plain data of whatever is handed to a template: texts, numbers, truth values, lists and dictionaries. So no
/// template can reach a method or a service through a value.
/// </summary>
internal static class PromptValues
{
    /// <summary>The values of a rendering, defaults filled in.</summary>
    /// <param name="config">The prompt.</param>
    /// <param name="arguments">The values given.</param>
    /// <returns>Plain data by variable; texts are HTML-encoded where the prompt doesn't allow them to write messages.</returns>
    public static Dictionary<string, object?> Prepare(PromptTemplateConfig config, KernelArguments? arguments)
    {
        var values = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var variable in config.InputVariables)
        {
            var encode = !config.AllowDangerouslySetContent && !variable.AllowDangerouslySetContent;
            var given = arguments?.TryGetValue(variable.Name, out var value) == true ? value : variable.Default;
            values[variable.Name] = Plain(given, encode);
        }

        foreach (var (name, value) in arguments ?? [])
        {
            if (!values.ContainsKey(name))
            {
                values[name] = Plain(value, !config.AllowDangerouslySetContent);
            }
        }

        return values;
    }

    /// <summary>Makes plain data of a value.</summary>
    public static object? Plain(object? value, bool encode) => value switch
    {
        null => null,
        string text => encode ? WebUtility.HtmlEncode(text) : text,
        bool or int or long or double or decimal => value,
        IFormattable and (byte or sbyte or short or ushort or uint or ulong or float) =>
            Convert.ToDecimal(value, CultureInfo.InvariantCulture),
        JsonElement element => Plain(JsonNode.Parse(element.GetRawText()), encode),
        JsonObject o => o.ToDictionary(p => p.Key, p => Plain(p.Value, encode)),
        JsonArray a => a.Select(i => Plain(i, encode)).ToList(),
        JsonValue v => Scalar(v, encode),
        IReadOnlyDictionary<string, string> map => map.ToDictionary(p => p.Key, p => Plain(p.Value, encode)),
        IDictionary<string, object?> map => map.ToDictionary(p => p.Key, p => Plain(p.Value, encode)),
        IEnumerable items => items.Cast<object?>().Select(i => Plain(i, encode)).ToList(),
        IFormattable formattable => Plain(formattable.ToString(null, CultureInfo.InvariantCulture), encode),
        _ => Plain(JsonSerializer.SerializeToNode(value, JsonSerializerOptions.Web), encode),
    };

    /// <summary>A value as one text, as the semantic-kernel format wants it: texts as they are, the rest as JSON.</summary>
    public static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(value, JsonSerializerOptions.Web),
    };

    private static object? Scalar(JsonValue value, bool encode) => value.GetValueKind() switch
    {
        JsonValueKind.String => Plain(value.GetValue<string>(), encode),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => decimal.TryParse(
            value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : value.ToJsonString(),
        _ => null,
    };
}
