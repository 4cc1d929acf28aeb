using System.Text;
using System.Text.Json;

namespace Orchestrator.Inference.Constraints.Suites;

/// <summary>
/// Tells whether an instance is rejected for the order of its properties alone, by looking for an order in which it is
/// accepted: for each object, the orders of the schema's own <c>properties</c> that share names with it.
/// </summary>
internal sealed class PropertyOrder
{
    private const int MaxSteps = 5_000;
    private const int MaxOrders = 12;

    private readonly List<Dictionary<string, int>> _orders = [];
    private int _steps;

    private PropertyOrder(JsonElement schema)
    {
        Collect(schema);
    }

    public static bool IsAllThatIsWrong(ITokenConstraint constraint, JsonElement schema, JsonElement instance)
    {
        var search = new PropertyOrder(schema);
        return search.Write(constraint.Start(), instance) is { CanEnd: true };
    }

    private static IConstraintMatcher? Append(IConstraintMatcher matcher, string text)
    {
        var next = matcher.Clone();
        return next.TryAcceptBytes(Encoding.UTF8.GetBytes(text)) ? next : null;
    }

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

    private IConstraintMatcher? Write(IConstraintMatcher matcher, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                var after = Append(matcher, "[");
                foreach (var (i, item) in value.EnumerateArray().Index())
                {
                    after = after is null ? null : Append(after, i > 0 ? ", " : "");
                    after = after is null ? null : Write(after, item);
                }

                return after is null ? null : Append(after, "]");
            case JsonValueKind.Object:
                return WriteObject(matcher, value);
            default:
                return Append(matcher, PythonJson.Write(value));
        }
    }

    private IConstraintMatcher? WriteObject(IConstraintMatcher matcher, JsonElement value)
    {
        var properties = value.EnumerateObject().GroupBy(property => property.Name, StringComparer.Ordinal).Select(group => group.Last()).ToArray();
        var orders = _orders.Select(order => (Order: order, Shared: properties.Count(property => order.ContainsKey(property.Name))))
            .Where(order => order.Shared > 0).OrderByDescending(order => order.Shared).Take(MaxOrders).Select(order => order.Order).Prepend([]);
        var tried = new HashSet<string>(StringComparer.Ordinal);
        foreach (var order in orders)
        {
            var sorted = properties.OrderBy(property => order.TryGetValue(property.Name, out var at) ? at : int.MaxValue).ToArray();
            if (!tried.Add(string.Join('\n', sorted.Select(property => property.Name))))
            {
                continue;
            }

            var after = Append(matcher, "{");
            foreach (var (i, property) in sorted.Index())
            {
                if (after is null || ++_steps > MaxSteps)
                {
                    after = null;
                    break;
                }

                after = Append(after, (i > 0 ? ", " : "") + PythonJson.WriteName(property.Name) + ": ");
                after = after is null ? null : Write(after, property.Value);
            }

            if (after is not null && Append(after, "}") is { } end)
            {
                return end;
            }
        }

        return null;
    }
}
