using System.Text.Json;
using Orchestrator.Inference.Constraints.Numbers;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>Equality of JSON values as JSON schema has it: numbers by value, objects without regard to order.</summary>
internal sealed class JsonEquality : IEqualityComparer<JsonElement>
{
    public static JsonEquality Instance { get; } = new();

    public bool Equals(JsonElement x, JsonElement y)
    {
        if (x.ValueKind != y.ValueKind)
        {
            return false;
        }

        switch (x.ValueKind)
        {
            case JsonValueKind.Number:
                return x.GetRawText() == y.GetRawText() || ExactDecimal.Parse(x.GetRawText()) is { } a && ExactDecimal.Parse(y.GetRawText()) is { } b && a == b;
            case JsonValueKind.String:
                return x.GetString() == y.GetString();
            case JsonValueKind.Array:
                return x.GetArrayLength() == y.GetArrayLength() && x.EnumerateArray().Zip(y.EnumerateArray()).All(pair => Equals(pair.First, pair.Second));
            case JsonValueKind.Object:
                var left = x.EnumerateObject().GroupBy(p => p.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last().Value, StringComparer.Ordinal);
                var right = y.EnumerateObject().GroupBy(p => p.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last().Value, StringComparer.Ordinal);
                return left.Count == right.Count && left.All(pair => right.TryGetValue(pair.Key, out var other) && Equals(pair.Value, other));
            default:
                return true;
        }
    }

    public int GetHashCode(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!.GetHashCode(StringComparison.Ordinal),
        JsonValueKind.Number => ExactDecimal.Parse(value.GetRawText())?.GetHashCode() ?? 0,
        JsonValueKind.Array => value.GetArrayLength(),
        _ => (int)value.ValueKind,
    };
}
