using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

internal sealed class For(
    Token at,
    Expression target,
    Expression items,
    Expression? test,
    bool recursive,
    IReadOnlyList<Statement> body,
    IReadOnlyList<Statement> otherwise) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        Run(frame, items.Evaluate(frame), 0);
        return Flow.Next;
    }

    private void Run(Frame frame, object? source, int depth)
    {
        var all = Select(frame, Placed(() => Py.ToList(frame.State, source)));
        var loop = new LoopContext(all, depth, recursive ? inner => Recurse(frame, inner, depth + 1) : null);
        for (var i = 0; i < all.Count; i++)
        {
            frame.State.Charge();
            loop.Index0 = i;
            var scope = new Frame(frame);
            scope.Set("loop", loop);
            Assign(scope, target, all[i]);
            if (ExecuteAll(body, scope) == Flow.Break)
            {
                return;
            }
        }

        if (all.Count == 0)
        {
            ExecuteAll(otherwise, new Frame(frame));
        }
    }

    private List<object?> Select(Frame frame, List<object?> all)
    {
        if (test is null)
        {
            return all;
        }

        var selected = new List<object?>();
        foreach (var item in all)
        {
            var scope = new Frame(frame);
            Assign(scope, target, item);
            if (Py.Truth(test.Evaluate(scope)))
            {
                selected.Add(item);
            }
        }

        return selected;
    }

    private string Recurse(Frame frame, object? source, int depth)
    {
        frame.State.EnterCall();
        try
        {
            var inner = new Frame(frame, new StringBuilder());
            Run(inner, source, depth);
            return frame.State.Made(inner.Output.ToString());
        }
        finally
        {
            frame.State.LeaveCall();
        }
    }
}

/// <summary>The variable <c>loop</c>.</summary>
internal sealed class LoopContext(List<object?> items, int depth0, Func<object?, string>? recurse) : Callable
{
    private object?[]? _lastChanged;

    public int Index0 { get; set; }

    public int Length => items.Count;

    public override string TypeName => "LoopContext";

    public override string Repr => $"<LoopContext {Index0 + 1}/{items.Count}>";

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch
        {
            "index" => PyNumber.Box(Index0 + 1L),
            "index0" => PyNumber.Box((long)Index0),
            "first" => PyNumber.Box(Index0 == 0),
            "last" => PyNumber.Box(Index0 == items.Count - 1),
            "length" => PyNumber.Box((long)items.Count),
            "revindex" => PyNumber.Box((long)items.Count - Index0),
            "revindex0" => PyNumber.Box((long)items.Count - Index0 - 1),
            "depth" => PyNumber.Box(depth0 + 1L),
            "depth0" => PyNumber.Box((long)depth0),
            "previtem" => Index0 > 0 ? items[Index0 - 1] : new Undefined("there is no previous item"),
            "nextitem" => Index0 + 1 < items.Count ? items[Index0 + 1] : new Undefined("there is no next item"),
            "cycle" => new Function("cycle", "method", (_, arguments) => Cycle(arguments.Positional)),
            "changed" => new Function("changed", "method", (state, arguments) => PyNumber.Box(Changed(state, arguments.Positional))),
            _ => Arguments.Missing,
        };
        return !Arguments.IsMissing(value);
    }

    public override object? Call(RenderState state, Arguments arguments)
    {
        var inner = arguments.Bind("loop", 1, "iterable")[0];
        return recurse is not null
            ? recurse(inner)
            : throw TemplateFailure.Type("The loop must have the 'recursive' marker to be called recursively.");
    }

    private object? Cycle(object?[] values)
        => values.Length > 0 ? values[Index0 % values.Length] : throw TemplateFailure.Type("no items for cycling given");

    private bool Changed(RenderState state, object?[] values)
    {
        if (_lastChanged is not null && Operators.Equals(state, new PyTuple(_lastChanged), new PyTuple(values)))
        {
            return false;
        }

        _lastChanged = values;
        return true;
    }
}
