using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Grammars;
using Orchestrator.Inference.Constraints.Regexes;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>How the properties of an object are set apart.</summary>
internal sealed class ObjectPunctuation
{
    /// <summary>What stands before the name of a property between tags.</summary>
    public const string ParameterOpen = "<parameter=";

    /// <summary>The tag behind such a property's value.</summary>
    public const string ParameterClose = "</parameter>";

    /// <summary>That tag with its line breaks: all that stands behind such a value.</summary>
    public const string ParameterEnd = $"\n{ParameterClose}\n";

    // What can't be mistaken for the structure around it.
    private static readonly Lazy<CharDfa> BareNames = new(() => RegexCompiler.CompileWhole(
        """[^\s:,<>{}\[\]"\\\u0000-\u001f\u007f-\u009f](?:[^:,<>{}\[\]"\\\u0000-\u001f\u007f-\u009f]*[^\s:,<>{}\[\]"\\\u0000-\u001f\u007f-\u009f])?"""));

    private static readonly Lazy<CharDfa> TagNames = new(() => RegexCompiler.CompileWhole(@"[^<>\u0000-\u001f\u007f-\u009f]+"));

    private ObjectPunctuation(Terminal open, Terminal close, Terminal comma, Terminal colon)
    {
        Open = open;
        Close = close;
        Comma = comma;
        Colon = colon;
    }

    /// <summary>Properties between tags, with nothing around them.</summary>
    public static ObjectPunctuation ParameterTags { get; } = new(Literal(false, ""), Literal(false, ""), Literal(false, ParameterOpen), Literal(false, ""))
    {
        CommaFirst = true,
        NameEnd = ">\n",
        NameTexts = TagNames.Value,
        Encoding = TextEncoding.Closed,
    };

    public Terminal Open { get; }

    public Terminal Close { get; }

    public Terminal Comma { get; }

    public Terminal Colon { get; }

    /// <summary>Whether the comma stands before the first property too.</summary>
    public bool CommaFirst { get; private init; }

    /// <summary>What ends a name that stands without quotes; null where names are in quotes.</summary>
    public string? NameEnd { get; private init; }

    /// <summary>The names that can be written; null for all.</summary>
    public CharDfa? NameTexts { get; private init; }

    /// <summary>The bytes of the quotes around a name.</summary>
    public int NameQuotes => NameEnd is null ? 2 : 0;

    private TextEncoding Encoding { get; init; }

    private bool LeadingWhitespace { get; init; }

    /// <summary>Objects as JSON has them, or with bare names.</summary>
    /// <param name="options">How JSON is written.</param>
    /// <param name="comma">What stands between properties.</param>
    public static ObjectPunctuation Json(JsonConstraintOptions options, Terminal comma)
    {
        var any = options.Whitespace == JsonWhitespace.Any;
        var space = options.Whitespace == JsonWhitespace.Spaced ? " " : "";
        var bare = options.Quote is not null;
        return new ObjectPunctuation(Literal(any, "{"), Literal(any, "}"), comma, Literal(any, bare ? space : ":" + space))
        {
            NameEnd = bare ? ":" : null,
            NameTexts = bare ? BareNames.Value : null,
            Encoding = bare ? TextEncoding.Closed : options.AnySpelling ? TextEncoding.JsonAny : TextEncoding.Json,
            LeadingWhitespace = any,
        };
    }

    /// <summary>A name with its end.</summary>
    public string Spell(string name) => name + NameEnd;

    /// <summary>Names as they are written.</summary>
    public CharacterDfa Names(CharDfa names) => new(NameEnd is null ? names : names.ClosedBy(NameEnd), Encoding, LeadingWhitespace);

    /// <summary>Names that are spelled with their ends, as they are written.</summary>
    public Terminal Key(KeyAutomaton names) => new(new CharacterDfa(names, Encoding, LeadingWhitespace).Start);

    /// <summary>A text that is structure.</summary>
    public static Terminal Literal(bool leadingWhitespace, string text) => new(new LiteralDfa(leadingWhitespace, text).Start);
}
