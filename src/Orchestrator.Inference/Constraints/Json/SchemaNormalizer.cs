using System.Text.Json;
using Orchestrator.Inference.Constraints.Automata;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>
/// Brings formulas over schemas into disjunctive normal form: alternatives (shapes), each a conjunction of conditions by
/// type, in which references, allOf, anyOf, oneOf, not, if, dependencies and enum are resolved. What is below a value
/// (its properties and items) stays formulas, normalized when they are reached, so recursion ends.
/// </summary>
internal sealed partial class SchemaNormalizer
{
    private const int MaxShapes = 2_000;
    private const int MaxDepth = 100;

    private readonly Dictionary<string, IReadOnlyList<Shape>> _normal = new(StringComparer.Ordinal);
    private readonly Dictionary<(SchemaRef, bool), IReadOnlyList<Shape>> _expanded = [];
    private readonly HashSet<(SchemaRef, bool)> _expanding = [];
    private readonly Dictionary<string, CharDfa> _patterns = new(StringComparer.Ordinal);
    private int _depth;

    public SchemaNormalizer() => Validator = new SchemaValidator(this);

    public SchemaValidator Validator { get; }

    /// <summary>The alternatives of a formula; none where it can't be satisfied.</summary>
    public IReadOnlyList<Shape> Normalize(Formula formula)
    {
        if (_normal.TryGetValue(formula.Key, out var known))
        {
            return known;
        }

        var values = formula.Terms.Where(term => !term.Negated).Select(term => ListedValues(term.Schema, 0)).FirstOrDefault(list => list is not null);
        IReadOnlyList<Shape> shapes;
        if (values is not null)
        {
            shapes = [new Shape { Values = values }];
        }
        else
        {
            shapes = [Shape.All];
            foreach (var (schema, negated) in formula.Terms)
            {
                shapes = Product(shapes, Expand(schema, negated), schema);
            }
        }

        // Listed values know nothing of the conditions beside them: they are tried against the whole.
        var listed = shapes.Where(shape => shape.Values is not null).SelectMany(shape => shape.Values!)
            .Where(value => formula.Terms.All(term => Validator.IsValid(term.Schema, value) != term.Negated))
            .Distinct(JsonEquality.Instance).ToArray();
        List<Shape> result = [.. shapes.Where(shape => shape.Values is null)];
        if (listed.Length > 0)
        {
            result.Insert(0, new Shape { Values = listed });
        }

        _normal.Add(formula.Key, result);
        return result;
    }

    /// <summary>The texts that a regular expression is found in.</summary>
    public CharDfa Pattern(SchemaRef schema, string keyword, string pattern)
    {
        if (!_patterns.TryGetValue(pattern, out var dfa))
        {
            try
            {
                dfa = Regexes.RegexCompiler.CompileSearch(pattern);
            }
            catch (ConstraintException error)
            {
                throw schema.Unsupported(keyword, error.Message);
            }

            _patterns.Add(pattern, dfa);
        }

        return dfa;
    }

    /// <summary>The enum or const that decides a schema, whatever else it says.</summary>
    private static IReadOnlyList<JsonElement>? ListedValues(SchemaRef schema, int depth)
    {
        if (schema.Get("const") is { } single)
        {
            return [single];
        }

        if (schema.Get("enum") is { ValueKind: JsonValueKind.Array } list)
        {
            return [.. list.EnumerateArray()];
        }

        return depth < 10 && schema.Get("$ref") is { ValueKind: JsonValueKind.String } reference
            ? ListedValues(schema.Document.Resolve(schema, reference.GetString()!), depth + 1)
            : null;
    }

    private static IReadOnlyList<Shape> Product(IReadOnlyList<Shape> left, IReadOnlyList<Shape> right, SchemaRef at)
    {
        if (left.Count * (long)right.Count > MaxShapes)
        {
            throw at.Unsupported(at.Get("anyOf") is not null ? "anyOf" : at.Get("oneOf") is not null ? "oneOf" : "allOf", $"it combines to more than {MaxShapes} alternatives");
        }

        var shapes = new List<Shape>();
        foreach (var a in left)
        {
            foreach (var b in right)
            {
                if (a.And(b) is { } both)
                {
                    shapes.Add(both);
                }
            }
        }

        return shapes;
    }

    /// <summary>The alternatives of one schema, or of its negation.</summary>
    private IReadOnlyList<Shape> Expand(SchemaRef schema, bool negated)
    {
        if (schema.Element.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return schema.Element.ValueKind == JsonValueKind.True != negated ? [Shape.All] : [];
        }

        if (schema.Element.ValueKind != JsonValueKind.Object)
        {
            throw schema.Malformed("type", "a schema is an object or a boolean");
        }

        if (_expanded.TryGetValue((schema, negated), out var known))
        {
            return known;
        }

        if (!_expanding.Add((schema, negated)) || ++_depth > MaxDepth)
        {
            throw schema.Unsupported("$ref", "the schema refers to itself without a value in between");
        }

        var shapes = negated ? ExpandNegated(schema) : ExpandPositive(schema);
        _depth--;
        _expanding.Remove((schema, negated));
        _expanded.Add((schema, negated), shapes);
        return shapes;
    }

    private IReadOnlyList<Shape> ExpandPositive(SchemaRef schema)
    {
        if (schema.Get("$ref") is { } reference)
        {
            var target = Target(schema, reference);
            if (schema.Document.IgnoresSiblingsOfRef)
            {
                return Expand(target, false);
            }

            return Product(ExpandKeywords(schema), Expand(target, false), schema);
        }

        return ExpandKeywords(schema);
    }

    private IReadOnlyList<Shape> ExpandKeywords(SchemaRef schema)
    {
        if (schema.Get("const") is not null || schema.Get("enum") is not null)
        {
            return [new Shape { Values = ListedValues(schema, 0) ?? throw schema.Malformed("enum", "it must be an array") }];
        }

        IReadOnlyList<Shape> shapes = Direct(schema) is { } direct ? [direct] : [];
        if (schema.Get("allOf") is not null)
        {
            foreach (var part in Parts(schema, "allOf"))
            {
                shapes = Product(shapes, Expand(part, false), schema);
            }
        }

        if (schema.Get("anyOf") is not null)
        {
            shapes = Product(shapes, [.. Parts(schema, "anyOf").SelectMany(part => Expand(part, false)).Distinct()], schema);
        }

        if (schema.Get("oneOf") is not null)
        {
            shapes = ExpandOneOf(schema, shapes);
        }

        if (schema.Get("not") is not null)
        {
            shapes = Product(shapes, Expand(schema.Child("not"), true), schema);
        }

        if (schema.Get("if") is not null && (schema.Get("then") is not null || schema.Get("else") is not null))
        {
            var condition = schema.Child("if");
            var then = Expand(condition, false);
            var otherwise = Expand(condition, true);
            then = schema.Get("then") is null ? then : Product(then, Expand(schema.Child("then"), false), schema);
            otherwise = schema.Get("else") is null ? otherwise : Product(otherwise, Expand(schema.Child("else"), false), schema);
            shapes = Product(shapes, [.. then, .. otherwise], schema);
        }

        foreach (var keyword in (ReadOnlySpan<string>)["dependencies", "dependentRequired", "dependentSchemas"])
        {
            if (schema.Get(keyword) is { ValueKind: JsonValueKind.Object } dependencies)
            {
                foreach (var dependency in dependencies.EnumerateObject())
                {
                    var absent = Absent(dependency.Name);
                    IReadOnlyList<Shape> present = dependency.Value.ValueKind switch
                    {
                        JsonValueKind.Array => [new Shape { Types = JsonTypes.Object, Required = [dependency.Name, .. dependency.Value.EnumerateArray().Select(name => name.GetString()!)] }],
                        JsonValueKind.String => [new Shape { Types = JsonTypes.Object, Required = [dependency.Name, dependency.Value.GetString()!] }],
                        _ => Product([new Shape { Types = JsonTypes.Object, Required = [dependency.Name] }], Expand(schema.Child(keyword, dependency.Name), false), schema),
                    };
                    shapes = Product(shapes, [absent, .. present], schema);
                }
            }
        }

        return shapes;
    }

    /// <summary>Exactly one option: those that provably exclude each other need nothing more, the others the negation of the rest.</summary>
    private IReadOnlyList<Shape> ExpandOneOf(SchemaRef schema, IReadOnlyList<Shape> outer)
    {
        var parts = Parts(schema, "oneOf").ToArray();
        var options = parts.Select(part => Product(outer, Expand(part, false), schema)).ToArray();
        var result = new List<Shape>();
        for (var i = 0; i < parts.Length; i++)
        {
            var shapes = options[i];
            for (var j = 0; j < parts.Length; j++)
            {
                if (i == j || AreDisjoint(shapes, options[j], parts[i], parts[j]))
                {
                    continue;
                }

                try
                {
                    shapes = Product(shapes, Expand(parts[j], true), schema);
                }
                catch (ConstraintException error) when (error.Keyword is not null)
                {
                    _expanding.Remove((parts[j], true));
                    throw schema.Unsupported("oneOf", $"options {i} and {j} may overlap, and the negation of one needs: {error.Message}");
                }
            }

            result.AddRange(shapes);
        }

        return result;
    }

    private bool AreDisjoint(IReadOnlyList<Shape> left, IReadOnlyList<Shape> right, SchemaRef leftSchema, SchemaRef rightSchema)
    {
        foreach (var a in left)
        {
            foreach (var b in right)
            {
                var values = a.Values ?? b.Values;
                if (values is not null)
                {
                    if (values.Any(value => Validator.IsValid(leftSchema, value) && Validator.IsValid(rightSchema, value)))
                    {
                        return false;
                    }
                }
                else if (a.And(b) is { } both && !IsPlainlyEmpty(both))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Whether a shape has no values, because a property that must be there, or an item, can't be.</summary>
    private bool IsPlainlyEmpty(Shape shape)
    {
        if ((shape.Types & ~(JsonTypes.Object | JsonTypes.Array)) != 0 || _depth > 40)
        {
            return false;
        }

        _depth++;
        try
        {
            if (shape.Types.HasFlag(JsonTypes.Object) && !shape.Required.Any(name => IsPlainlyEmpty(shape.Property(name))))
            {
                return false;
            }

            return !shape.Types.HasFlag(JsonTypes.Array)
                || Enumerable.Range(0, Math.Min(shape.MinItems, 16)).Any(i => IsPlainlyEmpty(shape.Item(i)));
        }
        finally
        {
            _depth--;
        }
    }

    private bool IsPlainlyEmpty(Formula formula)
    {
        // A schema that is being expanded right now is taken to have values.
        if (formula.Terms.Any(term => _expanding.Contains(term)))
        {
            return false;
        }

        return Normalize(formula).All(shape => shape.Values is null && IsPlainlyEmpty(shape));
    }

    private static SchemaRef Target(SchemaRef schema, JsonElement reference)
        => reference.ValueKind == JsonValueKind.String
            ? schema.Document.Resolve(schema, reference.GetString()!)
            : throw schema.Malformed("$ref", "it must be a string");

    private static IEnumerable<SchemaRef> Parts(SchemaRef schema, string keyword)
        => schema.Get(keyword) is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() > 0
            ? schema.Children(keyword)
            : throw schema.Malformed(keyword, "it must be an array with at least one schema");

    private static Shape Absent(string name)
        => new() { Objects = [new ObjectRule([new(name, Never)], [], Formula.True, IsOpen: true)] };

    /// <summary>The formula that nothing satisfies.</summary>
    private static readonly Formula Never = Formula.Of(new SchemaDocument(JsonDocument.Parse("false").RootElement).Root);
}
