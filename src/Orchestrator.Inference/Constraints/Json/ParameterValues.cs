using System.Text;
using System.Text.Json;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>
/// Reads what stands between the tags of parameters (<see cref="JsonConstraintOptions.ParameterTags"/>). Nothing there
/// says whether it is a string or JSON; the schema does, wherever only one of the two is valid.
/// </summary>
internal static class ParameterValues
{
    /// <summary>Reads values; never throws.</summary>
    /// <param name="schema">The schema of the whole object, or null where none is known.</param>
    /// <param name="parameters">The names and what stands between their tags.</param>
    /// <returns>An object: valid where one of its readings is.</returns>
    public static JsonElement Read(JsonElement? schema, IReadOnlyList<(string Name, string Text)> parameters)
    {
        JsonElement? first = null;
        try
        {
            if (schema is { } known)
            {
                var normalizer = new SchemaNormalizer();
                var root = new SchemaDocument(known).Root;
                foreach (var isValid in normalizer.Normalize(Formula.Of(root)).SelectMany(shape => Alternatives(shape, normalizer.Validator)))
                {
                    var arguments = Read(parameters, isValid);
                    if (normalizer.Validator.IsValid(root, arguments))
                    {
                        return arguments;
                    }

                    first ??= arguments;
                }
            }
        }
        catch (Exception error) when (error is ConstraintException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // A schema that can't be enforced says as much about its values as none.
        }

        return first ?? Read(parameters, (_, _) => true);
    }

    /// <summary>What each alternative of an object says of the values of its properties.</summary>
    private static IEnumerable<Func<string, JsonElement, bool>> Alternatives(Shape shape, SchemaValidator validator) => shape.Values is null
        ? [(name, value) => shape.Property(name).Terms.All(term => validator.IsValid(term.Schema, value) != term.Negated)]
        : shape.Values.Where(listed => listed.ValueKind == JsonValueKind.Object).Select(Func<string, JsonElement, bool> (listed) =>
            (name, value) => listed.TryGetProperty(name, out var property) && JsonEquality.Instance.Equals(property, value));

    private static JsonElement Read(IReadOnlyList<(string Name, string Text)> parameters, Func<string, JsonElement, bool> isValid)
    {
        var arguments = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (name, text) in parameters)
        {
            // Templates that render values as Python does teach models its words.
            var json = Parse(text) ?? Parse(text.Trim() switch { "True" => "true", "False" => "false", "None" => "null", _ => "" });
            var asText = JsonSerializer.SerializeToElement(Clean(text));
            arguments[Clean(name)] = json is { } value && (isValid(name, value) || !isValid(name, asText)) ? value : asText;
        }

        return JsonSerializer.SerializeToElement(arguments);
    }

    /// <summary>A value that is JSON and no string, or null.</summary>
    private static JsonElement? Parse(string text)
    {
        try
        {
            var value = JsonElement.Parse(Encoding.UTF8.GetBytes(text));
            return value.ValueKind == JsonValueKind.String ? null : value;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Halves of surrogate pairs have no JSON.
    private static string Clean(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
