using System.Text;
using System.Text.Json;

namespace Orchestrator.Inference.Constraints.Suites;

/// <summary>
/// Tells whether an instance is rejected for the order of its properties alone, by looking for an order in which it is
/// accepted: for each object, the orders of the schema's own <c>properties</c> that share names with it, each alone and
/// followed by the names of all others.
/// </summary>
internal sealed class PropertyOrder
{
    private const int MaxSteps = 5_000;
    private const int MaxOrders = 12;

    private readonly List<Dictionary<string, int>> _orders = [];
    private readonly Dictionary<string, int> _named = new(StringComparer.Ordinal);
    private int _steps;

    private PropertyOrder(JsonElement schema)
    {
        Collect(schema);
        foreach (var name in _orders.SelectMany(order => order.Keys))
        {
            _named.TryAdd(name, _named.Count);
        }
    }

    public static bool IsAllThatIsWrong(ITokenConstraint constraint, JsonElement schema, JsonElement instance)
    {
        var search = new PropertyOrder(schema);
        return search.Write(constraint.Start(), instance).Any(end => end.CanEnd);
    }

    private static IConstraintMatcher? Append(IConstraintMatcher matcher, string text)
    {
        var next = matcher.Clone();
        return next.TryAcceptBytes(Encoding.UTF8.GetBytes(text)) ? next : null;
    }

    private static int Place(Dictionary<string, int> order, JsonProperty property) => order.GetValueOrDefault(property.Name, int.MaxValue);

    private void Collect(JsonElement schema)
    {
        if (schema.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in schema.EnumerateArray())
            {
                Collect(item);
            }
        }
        else if (schema.ValueKind == JsonValueKind.Object)
        {
            var order = new Dictionary<string, int>(StringComparer.Ordinal);
            if (schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in properties.EnumerateObject())
                {
                    order.TryAdd(property.Name, order.Count);
                }
            }

            if (schema.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array)
            {
                foreach (var property in required.EnumerateArray().Where(property => property.ValueKind == JsonValueKind.String))
                {
                    order.TryAdd(property.GetString()!, order.Count);
                }
            }

            if (order.Count > 0)
            {
                _orders.Add(order);
            }

            foreach (var property in schema.EnumerateObject())
            {
                Collect(property.Value);
            }
        }
    }

    /// <summary>
    /// Each way in which a value is accepted. One that ends well here may fail later: a schema with alternatives reads on in
    /// several of them at once, and another order keeps another of them alive.
    /// </summary>
    private IEnumerable<IConstraintMatcher> Write(IConstraintMatcher matcher, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => Append(matcher, "[") is { } open
            ? Sequence(open, [.. value.EnumerateArray().Select((item, i) => (i > 0 ? ", " : "", item))], 0, "]")
            : [],
        JsonValueKind.Object => WriteObject(matcher, value),
        _ => Append(matcher, PythonJson.Write(value)) is { } end ? [end] : [],
    };

    private IEnumerable<IConstraintMatcher> WriteObject(IConstraintMatcher matcher, JsonElement value)
    {
        if (Append(matcher, "{") is not { } open)
        {
            yield break;
        }

        var properties = value.EnumerateObject().GroupBy(property => property.Name, StringComparer.Ordinal).Select(group => group.Last()).ToArray();
        var orders = _orders.Select(order => (Order: order, Shared: properties.Count(property => order.ContainsKey(property.Name))))
            .Where(order => order.Shared > 0).OrderByDescending(order => order.Shared).Take(MaxOrders).Select(order => order.Order).Prepend([]);
        var tried = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (order, last) in orders.SelectMany(order => new[] { (order, _named), (order, []) }))
        {
            var sorted = properties.OrderBy(property => Place(order, property)).ThenBy(property => Place(last, property)).ToArray();
            if (!tried.Add(string.Join('\n', sorted.Select(property => property.Name))))
            {
                continue;
            }

            var parts = sorted.Select((property, i) => ((i > 0 ? ", " : "") + PythonJson.WriteName(property.Name) + ": ", property.Value)).ToArray();
            foreach (var end in Sequence(open, parts, 0, "}"))
            {
                yield return end;
            }
        }
    }

    /// <summary>Values from one on, each after its text, and a closing text.</summary>
    private IEnumerable<IConstraintMatcher> Sequence(
        IConstraintMatcher matcher, (string Before, JsonElement Value)[] parts, int from, string close)
    {
        if (from == parts.Length)
        {
            return Append(matcher, close) is { } end ? [end] : [];
        }

        return ++_steps <= MaxSteps && Append(matcher, parts[from].Before) is { } next
            ? Write(next, parts[from].Value).SelectMany(after => Sequence(after, parts, from + 1, close))
            : [];
    }
}
