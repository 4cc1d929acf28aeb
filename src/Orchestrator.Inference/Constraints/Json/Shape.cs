using System.Text.Json;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Numbers;

namespace Orchestrator.Inference.Constraints.Json;

[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    False = 2,
    True = 4,
    Number = 8,
    String = 16,
    Array = 32,
    Object = 64,
    Boolean = False | True,
    All = 127,
}

/// <summary>
/// What a value must satisfy: all of some schemas, or not, each. The empty formula allows everything.
/// </summary>
internal sealed class Formula
{
    private readonly (SchemaRef Schema, bool Negated)[] _terms;

    private Formula((SchemaRef Schema, bool Negated)[] terms)
    {
        _terms = terms;
        Key = string.Join('&', terms.Select(term => (term.Negated ? "!" : "") + term.Schema.Document.GetHashCode().ToString("x", System.Globalization.CultureInfo.InvariantCulture) + term.Schema.Pointer));
    }

    public static Formula True { get; } = new([]);

    public IReadOnlyList<(SchemaRef Schema, bool Negated)> Terms => _terms;

    /// <summary>Equal for formulas of the same terms.</summary>
    public string Key { get; }

    public static Formula Of(SchemaRef schema, bool negated = false)
        => schema.Element.ValueKind == JsonValueKind.True && !negated ? True : new([(schema, negated)]);

    public Formula And(Formula other)
        => other._terms.Length == 0 ? this : _terms.Length == 0 ? other
            : new([.. _terms.Concat(other._terms).Distinct().OrderBy(term => term.Schema.Pointer, StringComparer.Ordinal).ThenBy(term => term.Negated)]);
}

/// <summary>What one schema object says of an object's properties.</summary>
/// <param name="Properties">The declared ones, in order.</param>
/// <param name="Patterns">Those whose name matches.</param>
/// <param name="Additional">All others.</param>
/// <param name="IsOpen">Whether the schema leaves others open by not mentioning them.</param>
internal sealed record ObjectRule(
    IReadOnlyList<KeyValuePair<string, Formula>> Properties,
    IReadOnlyList<(CharDfa Pattern, Formula Formula)> Patterns,
    Formula Additional,
    bool IsOpen)
{
    private readonly Dictionary<string, Formula> _byName = new(Properties, StringComparer.Ordinal);

    /// <summary>What the rule demands of a property.</summary>
    public Formula For(string name)
    {
        var known = _byName.TryGetValue(name, out var formula);
        formula ??= Formula.True;
        foreach (var (pattern, matched) in Patterns)
        {
            if (pattern.Accepts(name))
            {
                known = true;
                formula = formula.And(matched);
            }
        }

        return known ? formula : Additional;
    }
}

/// <summary>What one schema object says of an array's items.</summary>
internal sealed record ArrayRule(IReadOnlyList<Formula> Prefix, Formula Rest)
{
    public Formula For(int index) => index < Prefix.Count ? Prefix[index] : Rest;
}

/// <summary>
/// One alternative of a normalized schema: for each type that it allows, a conjunction of simple conditions. Or a list of values.
/// </summary>
internal sealed record Shape
{
    public static Shape All { get; } = new();

    /// <summary>When set, exactly these values (still to be checked against the whole formula); nothing else counts.</summary>
    public IReadOnlyList<JsonElement>? Values { get; init; }

    public JsonTypes Types { get; init; } = JsonTypes.All;

    public NumberRange Number { get; init; } = NumberRange.All;

    public int MinLength { get; init; }

    public int MaxLength { get; init; } = int.MaxValue;

    /// <summary>The patterns and formats, all at once.</summary>
    public CharDfa? Text { get; init; }

    public IReadOnlyList<ArrayRule> Arrays { get; init; } = [];

    public int MinItems { get; init; }

    public int MaxItems { get; init; } = int.MaxValue;

    public IReadOnlyList<Formula> Contains { get; init; } = [];

    /// <summary>The schema that wants items to differ, or null.</summary>
    public SchemaRef? Unique { get; init; }

    public IReadOnlyList<ObjectRule> Objects { get; init; } = [];

    public IReadOnlyList<string> Required { get; init; } = [];

    public int MinProperties { get; init; }

    public int MaxProperties { get; init; } = int.MaxValue;

    public IReadOnlyList<Formula> PropertyNames { get; init; } = [];

    /// <summary>The schema that wants a number of properties, for errors.</summary>
    public SchemaRef? Counted { get; init; }

    /// <summary>Both; null where that is plainly impossible.</summary>
    public Shape? And(Shape other)
    {
        if (Values is not null)
        {
            return this;
        }

        if (other.Values is not null)
        {
            return other;
        }

        if (ReferenceEquals(this, All))
        {
            return other;
        }

        if (ReferenceEquals(other, All))
        {
            return this;
        }

        var both = new Shape
        {
            Types = Types & other.Types,
            Number = Number.And(other.Number),
            MinLength = Math.Max(MinLength, other.MinLength),
            MaxLength = Math.Min(MaxLength, other.MaxLength),
            Text = Text is null || ReferenceEquals(Text, other.Text) ? other.Text : other.Text is null ? Text : Text.Intersect(other.Text),
            Arrays = [.. Arrays, .. other.Arrays],
            MinItems = Math.Max(MinItems, other.MinItems),
            MaxItems = Math.Min(MaxItems, other.MaxItems),
            Contains = [.. Contains, .. other.Contains],
            Unique = Unique ?? other.Unique,
            Objects = [.. Objects, .. other.Objects],
            Required = [.. Required.Union(other.Required, StringComparer.Ordinal)],
            MinProperties = Math.Max(MinProperties, other.MinProperties),
            MaxProperties = Math.Min(MaxProperties, other.MaxProperties),
            PropertyNames = [.. PropertyNames, .. other.PropertyNames],
            Counted = Counted ?? other.Counted,
        };
        return both.Reduced();
    }

    /// <summary>Drops the types that plainly have no values; null where none is left.</summary>
    public Shape? Reduced()
    {
        var types = Types;
        if (Number.IsEmpty)
        {
            types &= ~JsonTypes.Number;
        }

        if (MinLength > MaxLength || Text is { IsEmpty: true } || (Text is not null && MaxLength < Text.MinCharacters(0)))
        {
            types &= ~JsonTypes.String;
        }

        if (MinItems > MaxItems || (MaxItems == 0 && Contains.Count > 0))
        {
            types &= ~JsonTypes.Array;
        }

        if (MinProperties > MaxProperties || Required.Count > MaxProperties)
        {
            types &= ~JsonTypes.Object;
        }

        return types == JsonTypes.None ? null : types == Types ? this : this with { Types = types };
    }

    public Formula Item(int index) => Arrays.Aggregate(Formula.True, (formula, rule) => formula.And(rule.For(index)));

    public Formula Property(string name) => Objects.Aggregate(Formula.True, (formula, rule) => formula.And(rule.For(name)));
}
