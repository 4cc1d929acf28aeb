using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Grammars;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>The terminals that all schemas share, for one way of writing JSON.</summary>
internal sealed class JsonPunctuation
{
    public JsonPunctuation(JsonConstraintOptions options)
    {
        var any = options.Whitespace == JsonWhitespace.Any;
        var space = options.Whitespace == JsonWhitespace.Spaced ? " " : "";
        OpenObject = Literal(any, "{");
        CloseObject = Literal(any, "}");
        OpenArray = Literal(any, "[");
        CloseArray = Literal(any, "]");
        Comma = Literal(any, "," + space);
        Colon = Literal(any, ":" + space);
        Separator = 1 + space.Length;
        Encoding = options.AnySpelling ? TextEncoding.JsonAny : TextEncoding.Json;
        LeadingWhitespace = any;
        AnyText = new CharacterDfa(new AnyText(), Encoding, any);
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

    public TextEncoding Encoding { get; }

    public bool LeadingWhitespace { get; }

    /// <summary>All strings.</summary>
    public CharacterDfa AnyText { get; }

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
