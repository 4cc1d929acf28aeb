using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>What a macro or the body of a call block is made of.</summary>
/// <param name="Name">Its name; null for a call block's body.</param>
/// <param name="Parameters">Names, and defaults where there are any.</param>
/// <param name="Body">What it renders.</param>
/// <param name="UsesCaller">Whether the body speaks of <c>caller</c>; likewise the others.</param>
/// <param name="UsesVarargs">Whether the body speaks of <c>varargs</c>.</param>
/// <param name="UsesKwargs">Whether the body speaks of <c>kwargs</c>.</param>
internal sealed record MacroDefinition(
    string? Name,
    IReadOnlyList<(string Name, Expression? Default)> Parameters,
    IReadOnlyList<Statement> Body,
    bool UsesCaller,
    bool UsesVarargs,
    bool UsesKwargs);

internal sealed class MacroStatement(Token at, MacroDefinition definition) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        frame.Set(definition.Name!, new Macro(definition, frame));
        return Flow.Next;
    }
}

/// <summary><c>{% call(args) macro(…) %}body{% endcall %}</c>.</summary>
internal sealed class CallBlock(Token at, Expression callee, ArgumentList arguments, MacroDefinition body) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        var target = callee.Evaluate(frame);
        var result = Placed(() =>
        {
            var given = arguments.Evaluate(frame);
            var named = given.Named is null ? [] : new Dictionary<string, object?>(given.Named);
            named["caller"] = new Macro(body, frame);
            return Py.Str(frame.State, Py.Call(frame.State, target, new Arguments(given.Positional, named)));
        });
        frame.Write(result);
        return Flow.Next;
    }
}

/// <summary>A macro with the scope that it was defined in.</summary>
internal sealed class Macro(MacroDefinition definition, Frame scope) : Callable
{
    public override string TypeName => "Macro";

    public override string Repr => $"<Macro {(definition.Name is null ? "anonymous" : PyText.Repr(definition.Name))}>";

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch
        {
            "name" => definition.Name,
            "arguments" => new PyTuple([.. definition.Parameters.Select(p => (object?)p.Name)]),
            "catch_kwargs" => PyNumber.Box(definition.UsesKwargs),
            "catch_varargs" => PyNumber.Box(definition.UsesVarargs),
            "caller" => PyNumber.Box(definition.UsesCaller),
            _ => Arguments.Missing,
        };
        return !Arguments.IsMissing(value);
    }

    public override object? Call(RenderState state, Arguments arguments)
    {
        state.EnterCall();
        try
        {
            var frame = new Frame(scope, new StringBuilder());
            Bind(frame, arguments);
            Statement.ExecuteAll(definition.Body, frame);
            return state.Made(frame.Output.ToString());
        }
        finally
        {
            state.LeaveCall();
        }
    }

    private void Bind(Frame frame, Arguments arguments)
    {
        var named = arguments.Named is null ? [] : new Dictionary<string, object?>(arguments.Named);
        var parameters = definition.Parameters;
        for (var i = 0; i < parameters.Count; i++)
        {
            var (name, byDefault) = parameters[i];
            object? value;
            if (i < arguments.Positional.Length)
            {
                value = arguments.Positional[i];
            }
            else if (!named.Remove(name, out value))
            {
                value = byDefault is not null ? byDefault.Evaluate(frame) : new Undefined($"parameter {PyText.Repr(name)} was not provided");
            }

            frame.Set(name, value);
        }

        if (definition.UsesCaller && !parameters.Any(p => p.Name == "caller"))
        {
            frame.Set("caller", named.Remove("caller", out var caller) && caller is not null ? caller : new Undefined("No caller defined"));
        }

        var label = definition.Name is null ? "None" : PyText.Repr(definition.Name);
        if (definition.UsesKwargs)
        {
            var rest = new PyDict();
            foreach (var (name, value) in named)
            {
                rest[name] = value;
            }

            frame.Set("kwargs", rest);
        }
        else if (named.Count > 0)
        {
            throw TemplateFailure.Type(named.ContainsKey("caller")
                ? $"macro {label} was invoked with two values for the special caller argument. This is most likely a bug."
                : $"macro {label} takes no keyword argument {PyText.Repr(named.Keys.First())}");
        }

        if (definition.UsesVarargs)
        {
            frame.Set("varargs", new PyTuple([.. arguments.Positional.Skip(parameters.Count)]));
        }
        else if (arguments.Positional.Length > parameters.Count)
        {
            throw TemplateFailure.Type($"macro {label} takes not more than {parameters.Count} argument(s)");
        }
    }
}
