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
        var any = options.Whitespace == JsonWhitespace.Any;
        var space = options.Whitespace == JsonWhitespace.Spaced ? " " : "";
        OpenArray = ObjectPunctuation.Literal(any, "[");
        CloseArray = ObjectPunctuation.Literal(any, "]");
        Comma = ObjectPunctuation.Literal(any, "," + space);
        Objects = ObjectPunctuation.Json(options, Comma);
        _json = options.AnySpelling ? TextEncoding.JsonAny : TextEncoding.Json;
        LeadingWhitespace = any;
        AnyText = Text(new AnyText());
        AnyName = new CharacterDfa(new AnyText(), _json, any);
        Trailing = any ? new Terminal(new WhitespaceDfa().Start) : null;
    }

    public ObjectPunctuation Objects { get; }

    public Terminal OpenArray { get; }

    public Terminal CloseArray { get; }

    public Terminal Comma { get; }

    public bool LeadingWhitespace { get; }

    /// <summary>All strings.</summary>
    public CharacterDfa AnyText { get; }

    /// <summary>All names of properties, where they are in quotes.</summary>
    public CharacterDfa AnyName { get; }

    /// <summary>Strings as they are written.</summary>
    public CharacterDfa Text(CharAutomaton texts) => new(texts, _quote is null ? _json : TextEncoding.Quoted, LeadingWhitespace, _quote);

    /// <summary>Whitespace behind the value, where it is allowed.</summary>
    public Terminal? Trailing { get; }

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
