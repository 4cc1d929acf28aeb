using System.Text.Json;
using System.Text.RegularExpressions;

namespace Orchestrator.ToolCalls.Bench;

/// <summary>
/// Judges a call as the Berkeley leaderboard's syntax check does: no parameter too many or too few, and each value one
/// of those allowed; texts without regard to case, spaces and <c>, . / - _ * ^</c>.
/// </summary>
internal static partial class CallChecker
{
    /// <summary>What is wrong with a call's arguments, or null.</summary>
    public static string? Fault(JsonElement given, ToolCase test)
    {
        foreach (var argument in given.EnumerateObject())
        {
            if (!test.Answer.TryGetProperty(argument.Name, out var allowed))
            {
                return $"unexpected {argument.Name}";
            }

            if (!allowed.EnumerateArray().Any(value => Same(argument.Value, value)))
            {
                return $"{argument.Name} = {argument.Value.GetRawText()}, not {allowed.GetRawText()}";
            }
        }

        var missing = test.Answer.EnumerateObject()
            .Where(p => !given.TryGetProperty(p.Name, out _) && !p.Value.EnumerateArray().Any(IsNothing))
            .Select(p => p.Name)
            .FirstOrDefault();
        return missing is null ? null : $"without {missing}";
    }

    private static bool IsNothing(JsonElement value) => value.ValueKind == JsonValueKind.String && value.GetString() == "";

    private static bool Same(JsonElement given, JsonElement right) => (given.ValueKind, right.ValueKind) switch
    {
        (JsonValueKind.String, JsonValueKind.String) => Normal(given.GetString()!) == Normal(right.GetString()!),
        (JsonValueKind.Number, JsonValueKind.Number) => given.GetDouble() == right.GetDouble(),
        (JsonValueKind.Array, JsonValueKind.Array) => given.GetArrayLength() == right.GetArrayLength()
            && given.EnumerateArray().Zip(right.EnumerateArray()).All(pair => Same(pair.First, pair.Second)),
        (JsonValueKind.Object, JsonValueKind.Object) => SameObject(given, right),
        var (a, b) => a == b,
    };

    /// <summary>The properties of an allowed object are lists of allowed values themselves.</summary>
    private static bool SameObject(JsonElement given, JsonElement right) =>
        given.EnumerateObject().All(p => right.TryGetProperty(p.Name, out var allowed) && Allows(allowed, p.Value))
        && right.EnumerateObject().All(p => given.TryGetProperty(p.Name, out _)
            || (p.Value.ValueKind == JsonValueKind.Array && p.Value.EnumerateArray().Any(IsNothing)));

    private static bool Allows(JsonElement allowed, JsonElement given) => allowed.ValueKind == JsonValueKind.Array
        ? allowed.EnumerateArray().Any(value => Same(given, value))
        : Same(given, allowed);

    private static string Normal(string text) => Ignored().Replace(text, "").ToLowerInvariant().Replace('\'', '"');

    [GeneratedRegex(@"[ ,./\-_*^]")]
    private static partial Regex Ignored();
}
