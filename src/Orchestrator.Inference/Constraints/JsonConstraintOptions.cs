using System.ComponentModel.DataAnnotations;

namespace Orchestrator.Inference.Constraints;

/// <summary>Which whitespace stands between the tokens of a JSON text.</summary>
public enum JsonWhitespace
{
    /// <summary>None: <c>{"a":1,"b":2}</c>.</summary>
    Compact,

    /// <summary>One space after each comma and colon, as Python writes it: <c>{"a": 1, "b": 2}</c>.</summary>
    Spaced,

    /// <summary>Any that JSON allows, also before and after the value.</summary>
    Any,
}

/// <summary>
/// How JSON values are written and bounded. A bound never makes a schema impossible: where the schema demands more
/// (a minimum, a pattern), the bound gives way.
/// </summary>
public sealed record JsonConstraintOptions
{
    /// <summary>
    /// For generation: compact, canonical escapes, undeclared properties only where the schema speaks of them, bounded lengths.
    /// A model with random weights ends, except in schemas that recurse: there the caller's budget decides.
    /// </summary>
    public static JsonConstraintOptions Generation { get; } = new();

    /// <summary>For checking: everything that the schema accepts, in any spelling that JSON allows.</summary>
    public static JsonConstraintOptions Validation { get; } = new()
    {
        Whitespace = JsonWhitespace.Any,
        AnySpelling = true,
        UndeclaredProperties = true,
        MaxStringLength = null,
        MaxItems = null,
        MaxAdditionalProperties = null,
        MaxDigits = null,
    };

    /// <summary>Which whitespace is allowed.</summary>
    public JsonWhitespace Whitespace { get; init; } = JsonWhitespace.Compact;

    /// <summary>
    /// The text of the special token that stands before and after strings in place of quotation marks; null for JSON. What
    /// is between is written as it is, and names of properties stand bare before their colon, as Gemma 4 writes calls.
    /// Strings stay JSON's where the vocabulary has no such token. For generation only.
    /// </summary>
    public string? Quote { get; init; }

    /// <summary>
    /// Whether the value is an object whose properties stand one after another between tags,
    /// <c>&lt;parameter=NAME&gt;</c>, VALUE and <c>&lt;/parameter&gt;</c> on lines of their own, as Qwen3-Coder writes
    /// arguments. A property that is a string is written as it is, and never holds <c>&lt;/parameter&gt;</c>; any other is
    /// JSON. For generation only.
    /// </summary>
    public bool ParameterTags { get; init; }

    /// <summary>
    /// Whether strings and numbers may be spelled in any way: characters by any escape (<c>\u0041</c>, <c>\/</c>), numbers
    /// with exponents, integers with a zero fraction (<c>1.0</c>), and of any length. Otherwise a character is written by
    /// itself or, if it is a quote, a backslash or a control character, by its shortest escape, and numbers without exponents.
    /// </summary>
    public bool AnySpelling { get; init; }

    /// <summary>Whether objects may have undeclared properties where the schema does not mention <c>additionalProperties</c>.</summary>
    public bool UndeclaredProperties { get; init; }

    /// <summary>The longest string in characters, 1 or more; null for no bound.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxStringLength { get; init; } = 1024;

    /// <summary>The most items in an array, 1 or more; null for no bound.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxItems { get; init; } = 64;

    /// <summary>The most undeclared or pattern properties in an object, 0 or more; null for no bound.</summary>
    [Range(0, int.MaxValue)]
    public int? MaxAdditionalProperties { get; init; } = 16;

    /// <summary>The most digits before, and after, the decimal point of a number, 1 or more; null for no bound. Does not bound <see cref="AnySpelling"/>.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxDigits { get; init; } = 16;
}
