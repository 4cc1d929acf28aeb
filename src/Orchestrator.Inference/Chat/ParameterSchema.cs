using System.Text.Json;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Chat;

/// <summary>What a function's JSON schema says of its parameters, and theirs of their values.</summary>
internal static class ParameterSchema
{
    /// <summary>A function's parameters; null where its schema names none.</summary>
    public static IReadOnlyList<JsonProperty>? Parameters(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object
            ? [.. properties.EnumerateObject()]
            : null;

    /// <summary>The names of those that a call must have.</summary>
    public static IReadOnlySet<string?> Required(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Where(n => n.ValueKind == JsonValueKind.String).Select(n => n.GetString()).ToHashSet()
            : new HashSet<string?>();

    /// <summary>What it says it is for; empty where it says nothing.</summary>
    public static string Description(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("description", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : "";

    /// <summary>The values that it enumerates, as JSON; null where it enumerates none.</summary>
    public static IReadOnlyList<string>? Options(JsonElement schema) =>
        schema.ValueKind != JsonValueKind.Object ? null
        : schema.TryGetProperty("enum", out var options) && options.ValueKind == JsonValueKind.Array
            ? [.. options.EnumerateArray().Select(o => JsonSerializer.Serialize(o, CallJson.Options))]
        : schema.TryGetProperty("const", out var only) ? [JsonSerializer.Serialize(only, CallJson.Options)]
        : Kind(schema) == "boolean" ? ["true", "false"]
        : null;

    /// <summary>Whether it takes a number, or a list of them.</summary>
    public static bool IsNumeric(JsonElement schema) =>
        Kind(schema) is "integer" or "number"
        || (Kind(schema) == "array" && schema.TryGetProperty("items", out var items) && Kind(items) is "integer" or "number");

    /// <summary>Whether it takes a day as ISO 8601 writes it.</summary>
    public static bool IsDate(JsonElement schema) =>
        (schema.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.String && format.GetString() == "date")
        || Description(schema).Contains("YYYY-MM-DD", StringComparison.OrdinalIgnoreCase);

    /// <summary>Its type, where it names one.</summary>
    public static string? Kind(JsonElement schema) =>
        schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            ? type.GetString()
            : null;
}
