using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Core.Text;

/// <summary>Takes secrets out of text before it is logged, recorded or shown.</summary>
public sealed class SecretRedactor
{
    /// <summary>What stands in a secret's place.</summary>
    public const string Mask = "[redacted]";

    // Shorter ones would take ordinary words apart.
    private const int MinimumLength = 4;

    private readonly string[] _secrets;

    /// <summary>Creates a redactor.</summary>
    /// <param name="secrets">The secrets' values; ones of less than four characters are left alone.</param>
    public SecretRedactor(params IReadOnlyList<string> secrets)
    {
        ArgumentNullException.ThrowIfNull(secrets);

        // Longest first, so that a secret that holds another one goes as a whole. A secret may be met as JSON writes it.
        _secrets = [.. secrets
            .Where(s => s.Length >= MinimumLength)
            .SelectMany(s => new[] { s, JsonEncodedText.Encode(s).Value })
            .Distinct(StringComparer.Ordinal)
            .OrderByDescending(s => s.Length)];
    }

    /// <summary>A redactor that knows no secret.</summary>
    public static SecretRedactor None { get; } = new();

    /// <summary>Whether it knows no secret.</summary>
    public bool IsEmpty => _secrets.Length == 0;

    /// <summary>Replaces each secret by <see cref="Mask"/>.</summary>
    /// <param name="text">Any text.</param>
    /// <returns>The text without secrets; the same instance where there were none.</returns>
    public string Redact(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (var secret in _secrets)
        {
            text = text.Replace(secret, Mask, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>Replaces each secret in the texts of a JSON value, names of properties included.</summary>
    /// <param name="json">Any JSON.</param>
    /// <returns>The value without secrets.</returns>
    public JsonElement Redact(JsonElement json) =>
        IsEmpty ? json : JsonSerializer.SerializeToElement(Redact(JsonNode.Parse(json.GetRawText())));

    private JsonNode? Redact(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.Select(p => KeyValuePair.Create(Redact(p.Key), Redact(p.Value)))),
        JsonArray a => new JsonArray([.. a.Select(Redact)]),
        JsonValue v when v.GetValueKind() == JsonValueKind.String => JsonValue.Create(Redact(v.GetValue<string>())),
        _ => node?.DeepClone(),
    };
}
