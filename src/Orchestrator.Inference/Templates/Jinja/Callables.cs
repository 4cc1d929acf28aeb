namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>The arguments of a call.</summary>
internal sealed class Arguments(object?[] positional, Dictionary<string, object?>? named = null)
{
    public static Arguments None { get; } = new([]);

    public object?[] Positional { get; } = positional;

    public Dictionary<string, object?>? Named { get; } = named;

    /// <summary>Assigns the arguments to parameters as Python does.</summary>
    /// <param name="function">The function's name, for errors.</param>
    /// <param name="required">How many of the parameters must be given.</param>
    /// <param name="parameters">Names in order; a name after "*" can only be given by name.</param>
    /// <returns>A value for each parameter, <see cref="Missing"/> where it was not given.</returns>
    public object?[] Bind(string function, int required, params string[] parameters)
    {
        if (Positional.Length > parameters.Length)
        {
            throw TemplateFailure.Type($"{function}() takes at most {parameters.Length} arguments ({Positional.Length} given)");
        }

        var values = new object?[parameters.Length];
        Positional.CopyTo(values, 0);
        Array.Fill(values, Missing, Positional.Length, values.Length - Positional.Length);
        if (Named is not null)
        {
            foreach (var (name, value) in Named)
            {
                var i = Array.IndexOf(parameters, name);
                if (i < 0)
                {
                    throw TemplateFailure.Type($"{function}() got an unexpected keyword argument '{name}'");
                }

                values[i] = ReferenceEquals(values[i], Missing) ? value : throw TemplateFailure.Type($"{function}() got multiple values for argument '{name}'");
            }
        }

        for (var i = 0; i < required; i++)
        {
            if (ReferenceEquals(values[i], Missing))
            {
                throw TemplateFailure.Type($"{function}() missing required argument: '{parameters[i]}'");
            }
        }

        return values;
    }

    /// <summary>Stands for an argument that was not given.</summary>
    public static object Missing { get; } = new();

    public static bool IsMissing(object? value) => ReferenceEquals(value, Missing);
}

/// <summary>A value that can be called.</summary>
internal abstract class Callable : PyObject
{
    public abstract object? Call(RenderState state, Arguments arguments);
}

/// <summary>A function of the environment, or a method bound to its object.</summary>
internal sealed class Function(string name, string type, Func<RenderState, Arguments, object?> body) : Callable
{
    public override string TypeName => type;

    public override string Repr => $"<{type} {name}>";

    public override object? Call(RenderState state, Arguments arguments) => body(state, arguments);
}

/// <summary><c>cycler(…)</c>: gives its items in turn.</summary>
internal sealed class Cycler(object?[] items) : PyObject
{
    private int _at;

    public override string TypeName => "Cycler";

    public override bool TryGetAttribute(string name, out object? value)
    {
        value = name switch
        {
            "current" => items[_at],
            "next" => new Function("next", "method", (_, _) => Next()),
            "reset" => new Function("reset", "method", (_, _) => Reset()),
            _ => Arguments.Missing,
        };
        return !Arguments.IsMissing(value);
    }

    private object? Next()
    {
        var item = items[_at];
        _at = (_at + 1) % items.Length;
        return item;
    }

    private object? Reset()
    {
        _at = 0;
        return null;
    }
}

/// <summary><c>joiner(sep)</c>: nothing at the first call, the separator from then on.</summary>
internal sealed class Joiner(object? separator) : Callable
{
    private bool _used;

    public override string TypeName => "Joiner";

    public override object? Call(RenderState state, Arguments arguments)
    {
        if (_used)
        {
            return separator;
        }

        _used = true;
        return "";
    }
}
