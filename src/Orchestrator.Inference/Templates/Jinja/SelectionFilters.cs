namespace Orchestrator.Inference.Templates.Jinja;

/// <summary><c>map</c>, <c>select</c>, <c>reject</c>, <c>selectattr</c> and <c>rejectattr</c>: lazy, and empty for anything false.</summary>
internal static class SelectionFilters
{
    public static void AddTo(Dictionary<string, Filter> filters)
    {
        filters["map"] = Map;
        filters["select"] = (state, v, a) => Select(state, v, a, byAttribute: false, wanted: true);
        filters["reject"] = (state, v, a) => Select(state, v, a, byAttribute: false, wanted: false);
        filters["selectattr"] = (state, v, a) => Select(state, v, a, byAttribute: true, wanted: true);
        filters["rejectattr"] = (state, v, a) => Select(state, v, a, byAttribute: true, wanted: false);
    }

    private static PyIterator Map(RenderState state, object? value, Arguments arguments)
    {
        IEnumerable<object?> Run()
        {
            if (!Py.Truth(value))
            {
                yield break;
            }

            var change = Change(state, arguments);
            foreach (var item in Py.Iterate(value))
            {
                state.Charge();
                yield return change(item);
            }
        }

        return new PyIterator("generator", Run());
    }

    private static Func<object?, object?> Change(RenderState state, Arguments arguments)
    {
        if (arguments.Positional.Length == 0 && arguments.Named?.ContainsKey("attribute") == true)
        {
            var a = arguments.Bind("map", 1, "attribute", "default");
            var path = AttributePath.Parse(a[0]);
            var byDefault = Filters.Optional(a[1], null);
            return item => path.Get(state, item, byDefault);
        }

        if (arguments.Positional.Length == 0)
        {
            throw TemplateFailure.Type("map requires a filter argument");
        }

        var name = Py.Str(state, arguments.Positional[0]);
        var filter = Filters.Find(name) ?? throw TemplateFailure.Type($"No filter named {PyText.Repr(name)}.");
        var rest = new Arguments(arguments.Positional[1..], arguments.Named);
        return item => filter(state, item, rest);
    }

    private static PyIterator Select(RenderState state, object? value, Arguments arguments, bool byAttribute, bool wanted)
    {
        IEnumerable<object?> Run()
        {
            if (!Py.Truth(value))
            {
                yield break;
            }

            var condition = Condition(state, arguments, byAttribute);
            foreach (var item in Py.Iterate(value))
            {
                state.Charge();
                if (condition(item) == wanted)
                {
                    yield return item;
                }
            }
        }

        return new PyIterator("generator", Run());
    }

    private static Func<object?, bool> Condition(RenderState state, Arguments arguments, bool byAttribute)
    {
        var skip = byAttribute ? 1 : 0;
        var positional = arguments.Positional;
        if (positional.Length < skip)
        {
            throw TemplateFailure.Type("Missing parameter for attribute name");
        }

        var path = byAttribute ? AttributePath.Parse(positional[0]) : null;
        object? Subject(object? item) => path is null ? item : path.Get(state, item);
        if (positional.Length == skip)
        {
            return item => Py.Truth(Subject(item));
        }

        var name = Py.Str(state, positional[skip]);
        var test = Tests.Find(name) ?? throw TemplateFailure.Type($"No test named {PyText.Repr(name)}.");
        var rest = new Arguments(positional[(skip + 1)..], arguments.Named);
        return item => test(state, Subject(item), rest);
    }
}

/// <summary>A path like <c>function.parameters.0</c> into an item, as filters take it.</summary>
internal sealed class AttributePath
{
    private readonly object?[] _parts;

    private AttributePath(object?[] parts) => _parts = parts;

    public static AttributePath Parse(object? attribute) => new(attribute is string text
        ? [.. text.Split('.').Select(p => p.Length > 0 && p.All(char.IsAsciiDigit) ? PyNumber.ParseDigits(p) : p)]
        : [attribute]);

    public object? Get(RenderState state, object? item, object? byDefault = null)
    {
        foreach (var part in _parts)
        {
            item = Lookup.Item(state, item, part);
            item = byDefault is not null && item is Undefined ? byDefault : item;
        }

        return item;
    }
}
