using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Grammars;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>The terminals that all schemas share, for one way of writing JSON.</summary>
internal sealed class JsonPunctuation
{
    private readonly byte[]? _quote;
    private readonly TextEncoding _json;

    /// <param name="options">How JSON is written.</param>
    /// <param name="quote">The spelling of the token that stands around strings, or null for quotation marks.</param>
    public JsonPunctuation(JsonConstraintOptions options, byte[]? quote)
    {
        _quote = quote;
        HasBareNames = options.Quote is not null;
        var any = options.Whitespace == JsonWhitespace.Any;
        var space = options.Whitespace == JsonWhitespace.Spaced ? " " : "";
        OpenObject = Literal(any, "{");
        CloseObject = Literal(any, "}");
        OpenArray = Literal(any, "[");
        CloseArray = Literal(any, "]");
        Comma = Literal(any, "," + space);
        Colon = Literal(any, HasBareNames ? space : ":" + space);
        Separator = 1 + space.Length;
        _json = options.AnySpelling ? TextEncoding.JsonAny : TextEncoding.Json;
        LeadingWhitespace = any;
        AnyText = Text(new AnyText());
        AnyName = Name(new AnyText());
        Trailing = any ? new Terminal(new WhitespaceDfa().Start) : null;
    }

    public Terminal OpenObject { get; }

    public Terminal CloseObject { get; }

    public Terminal OpenArray { get; }

    public Terminal CloseArray { get; }

    public Terminal Comma { get; }

    public Terminal Colon { get; }

    /// <summary>The bytes of a comma or colon.</summary>
    public int Separator { get; }

    /// <summary>Whether names of properties stand without quotes; their colon is then a part of them.</summary>
    public bool HasBareNames { get; }

    /// <summary>The bytes of the quotes around a name.</summary>
    public int NameQuotes => HasBareNames ? 0 : 2;

    /// <summary>The bytes between a name that is complete and its value.</summary>
    public int AfterName => HasBareNames ? Separator - 1 : Separator;

    public bool LeadingWhitespace { get; }

    /// <summary>All strings.</summary>
    public CharacterDfa AnyText { get; }

    /// <summary>All names of properties, where they are in quotes.</summary>
    public CharacterDfa AnyName { get; }

    /// <summary>Strings as they are written.</summary>
    public CharacterDfa Text(CharAutomaton texts) => new(texts, _quote is null ? _json : TextEncoding.Quoted, LeadingWhitespace, _quote);

    /// <summary>Names of properties as they are written.</summary>
    public CharacterDfa Name(CharAutomaton names) => new(names, HasBareNames ? TextEncoding.Bare : _json, LeadingWhitespace);

    /// <summary>Whitespace behind the value, where it is allowed.</summary>
    public Terminal? Trailing { get; }

    private static Terminal Literal(bool any, string text) => new(new LiteralDfa(any, text).Start);

    private sealed class WhitespaceDfa : ByteDfa<byte>
    {
        public ByteState Start => Get(0);

        protected override ByteState Create(byte key) => new State(this);

        private sealed class State : ByteState
        {
            private readonly WhitespaceDfa _owner;

            public State(WhitespaceDfa owner)
            {
                _owner = owner;
                Tag = 0;
            }

            protected override ByteState? Compute(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' ? _owner.Get(0) : null;
        }
    }
}
