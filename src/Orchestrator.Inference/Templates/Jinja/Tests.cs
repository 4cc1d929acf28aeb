using System.Collections.Frozen;
using System.Numerics;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>What can stand after <c>is</c>: all built-in tests of Jinja 3.1.</summary>
internal static class Tests
{
    private static readonly FrozenDictionary<string, Test> All = Build().ToFrozenDictionary();

    public static Test? Find(string name) => All.GetValueOrDefault(name);

    private static Dictionary<string, Test> Build()
    {
        var tests = new Dictionary<string, Test>
        {
            ["defined"] = (_, v, _) => v is not Undefined,
            ["undefined"] = (_, v, _) => v is Undefined,
            ["none"] = (_, v, _) => v is null,
            ["boolean"] = (_, v, _) => v is bool,
            ["true"] = (_, v, _) => v is true,
            ["false"] = (_, v, _) => v is false,
            ["integer"] = (_, v, _) => v is long or BigInteger,
            ["float"] = (_, v, _) => v is double,
            ["number"] = (_, v, _) => PyNumber.IsNumber(v),
            ["string"] = (_, v, _) => Py.Text(v) is not null,
            ["mapping"] = (_, v, _) => v is PyDict,
            ["sequence"] = (_, v, _) => v is IPySequence or PyDict or string or Markup or Undefined,
            ["iterable"] = (_, v, _) => Py.IsIterable(v),
            ["callable"] = (_, v, _) => v is Callable or Undefined,
            ["escaped"] = (_, v, _) => v is Markup,
            ["lower"] = (state, v, _) => StringPredicates.IsLower(Py.Str(state, v)),
            ["upper"] = (state, v, _) => StringPredicates.IsUpper(Py.Str(state, v)),
            ["odd"] = (state, v, _) => Operators.Equals(state, Operators.Binary(state, "%", v, 2L), 1L),
            ["even"] = (state, v, _) => Operators.Equals(state, Operators.Binary(state, "%", v, 2L), 0L),
            ["divisibleby"] = (state, v, a) => Operators.Equals(state, Operators.Binary(state, "%", v, a.Bind("divisibleby", 1, "num")[0]), 0L),
            ["filter"] = (_, v, _) => v is string name && Filters.Find(name) is not null,
            ["test"] = (_, v, _) => v is string name && Find(name) is not null,
            ["sameas"] = (_, v, a) => Same(v, a.Bind("sameas", 1, "other")[0]),
            ["in"] = (state, v, a) => Operators.Compare(state, "in", v, a.Bind("in", 1, "seq")[0]),
        };
        foreach (var (op, names) in new[]
        {
            ("==", new[] { "==", "eq", "equalto" }),
            ("!=", ["!=", "ne"]),
            (">", [">", "gt", "greaterthan"]),
            (">=", [">=", "ge"]),
            ("<", ["<", "lt", "lessthan"]),
            ("<=", ["<=", "le"]),
        })
        {
            foreach (var name in names)
            {
                tests[name] = (state, v, a) => Operators.Compare(state, op, v, a.Bind(name, 1, "other")[0]);
            }
        }

        return tests;
    }

    private static bool Same(object? a, object? b) => (a, b) switch
    {
        (bool x, bool y) => x == y,
        (long x, long y) => x == y,
        (string x, string y) => x == y,
        _ => ReferenceEquals(a, b),
    };
}
