namespace Orchestrator.Agents.Definitions;

/// <summary>
/// What a definition file may hold. One description serves three ends: reading, error messages, and the JSON schema
/// that editors complete from.
/// </summary>
internal abstract record Shape
{
    /// <summary>Letters, digits, '-' and '_', a letter first.</summary>
    public const string NamePattern = "^[A-Za-z][A-Za-z0-9_-]*$";

    /// <summary>A number with a unit.</summary>
    public const string DurationPattern = @"^[0-9]+(\.[0-9]+)?(ms|s|m|h)$";
}

/// <summary>A text; a pattern comes with the words that say it.</summary>
internal sealed record TextShape(string? Pattern = null, string? PatternInWords = null) : Shape
{
    public IReadOnlyList<string>? OneOf { get; init; }

    public static TextShape Any { get; } = new();

    public static TextShape Name { get; } = new(NamePattern, "letters, digits, '-' and '_', beginning with a letter");

    public static TextShape Choice(params IReadOnlyList<string> values) => new() { OneOf = values };
}

/// <summary>A whole number within bounds.</summary>
internal sealed record IntegerShape(int Minimum, int Maximum) : Shape;

/// <summary>A number within bounds.</summary>
internal sealed record NumberShape(double Minimum, double Maximum) : Shape;

/// <summary><c>true</c> or <c>false</c>.</summary>
internal sealed record FlagShape : Shape;

/// <summary>A time span such as <c>500ms</c>, <c>30s</c>, <c>5m</c> or <c>1h</c>.</summary>
internal sealed record DurationShape : Shape;

/// <summary>Anything that YAML can say; read as JSON.</summary>
internal sealed record AnythingShape : Shape;

/// <summary>A list of things alike.</summary>
internal sealed record ListShape(Shape Item, int Minimum = 0) : Shape;

/// <summary>Things alike under names that the writer picks.</summary>
internal sealed record MapShape(Shape Value) : Shape;

/// <summary>Things under names that are known.</summary>
/// <param name="Noun">What the object is, as in "unknown key 'x' in a member".</param>
/// <param name="Keys">The keys that it may have.</param>
internal sealed record ObjectShape(string Noun, params IReadOnlyList<KeyShape> Keys) : Shape;

/// <summary>A key of an object.</summary>
internal sealed record KeyShape(string Name, Shape Shape, string Description, bool Required = false)
{
    /// <summary>What holds where the key is left out, in the words of the file; null where there is no such value.</summary>
    public object? Default { get; init; }
}
