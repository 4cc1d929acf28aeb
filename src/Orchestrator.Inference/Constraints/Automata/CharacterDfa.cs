namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>How characters are written as bytes.</summary>
internal enum TextEncoding
{
    /// <summary>UTF-8.</summary>
    Raw,

    /// <summary>A JSON string in quotes; escapes only where needed, the shortest.</summary>
    Json,

    /// <summary>A JSON string in quotes, each character in any spelling, and whitespace before it.</summary>
    JsonAny,

    /// <summary>UTF-8 between two special tokens.</summary>
    Quoted,

    /// <summary>UTF-8 whose end is a part of the automaton's texts (<see cref="CharDfa.ClosedBy"/>).</summary>
    Closed,
}

/// <summary>A state: what has been read of which character.</summary>
/// <param name="Stage">Where in the text.</param>
/// <param name="State">The state of the automaton over characters.</param>
/// <param name="Count">UTF-8: bytes left. Hex: digits left. Before and at the end: bytes of the special token that are there.</param>
/// <param name="Value">The bits so far.</param>
/// <param name="Extra">UTF-8: the length of the character. Hex: the high surrogate before.</param>
internal readonly record struct CharacterKey(Stage Stage, int State, int Count = 0, int Value = 0, int Extra = 0);

internal enum Stage : byte
{
    Before,
    First,
    Content,
    Utf8,
    Escape,
    Hex,
    LowBackslash,
    LowU,
    Close,
    Done,
}

/// <summary>Turns an automaton over characters into one over bytes. Accepts valid UTF-8 only, and no halves of surrogate pairs.</summary>
/// <param name="automaton">The texts.</param>
/// <param name="encoding">How they are written.</param>
/// <param name="leadingWhitespace">Whether white space may stand before them.</param>
/// <param name="quote">The spelling of the special token around them, for <see cref="TextEncoding.Quoted"/>.</param>
internal sealed class CharacterDfa(CharAutomaton automaton, TextEncoding encoding, bool leadingWhitespace, byte[]? quote = null)
    : ByteDfa<CharacterKey>
{
    public CharAutomaton Automaton => automaton;

    private TextEncoding Encoding => encoding;

    private bool IsJson => encoding is TextEncoding.Json or TextEncoding.JsonAny;

    /// <summary>The bytes that open the text, and those that close it.</summary>
    private (int Open, int Close) Frame => encoding switch
    {
        TextEncoding.Raw or TextEncoding.Closed => (0, 0),
        TextEncoding.Quoted => (quote!.Length, quote.Length),
        _ => (1, 1),
    };

    public ByteState Start => Get(new CharacterKey(Frame.Open == 0 ? Stage.First : Stage.Before, automaton.Start));

    public ByteState Content(int state) => Get(new CharacterKey(Stage.Content, state));

    public ByteState First(int state) => Get(new CharacterKey(Stage.First, state));

    protected override ByteState Create(CharacterKey key) => new CharacterState(this, key);

    private ByteState? Step(CharacterKey key, byte value)
    {
        switch (key.Stage)
        {
            case Stage.Before when quote is not null:
                return value != quote[key.Count] ? null : key.Count + 1 == quote.Length ? First(key.State) : Get(key with { Count = key.Count + 1 });
            case Stage.Close:
                return value != quote![key.Count] ? null : Get(key.Count + 1 == quote.Length ? new CharacterKey(Stage.Done, key.State) : key with { Count = key.Count + 1 });
            case Stage.Before:
                return value == '"' ? First(key.State) : leadingWhitespace && value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' ? Get(key) : null;
            case Stage.First or Stage.Content:
                return StepContent(key.State, value);
            case Stage.Utf8:
                if (value is < 0x80 or >= 0xC0)
                {
                    return null;
                }

                var bits = (key.Value << 6) | (value & 0x3F);
                return key.Count == 1 ? Finish(key.State, bits, key.Extra) : Partial(key with { Count = key.Count - 1, Value = bits });
            case Stage.Escape:
                return StepEscape(key.State, value);
            case Stage.Hex:
                return StepHex(key, value);
            case Stage.LowBackslash:
                return value == '\\' ? Get(key with { Stage = Stage.LowU }) : null;
            case Stage.LowU:
                return value == 'u' ? Partial(new CharacterKey(Stage.Hex, key.State, 4, 0, key.Extra)) : null;
            default:
                return null;
        }
    }

    private ByteState? StepContent(int state, byte value)
    {
        switch (value)
        {
            case (byte)'"' when IsJson:
                return automaton.Tag(state) >= 0 ? Get(new CharacterKey(Stage.Done, state)) : null;
            case TokenSpelling.Mark when quote is not null:
                return automaton.Tag(state) >= 0 ? Get(new CharacterKey(Stage.Close, state, 1)) : null;
            case (byte)'\\' when IsJson:
                return Partial(new CharacterKey(Stage.Escape, state));
            case < 0x20 when IsJson:
                return null;
            case < 0x80:
                return Character(state, value);
            case >= 0xC2 and < 0xE0:
                return Partial(new CharacterKey(Stage.Utf8, state, 1, value & 0x1F, 2));
            case >= 0xE0 and < 0xF0:
                return Partial(new CharacterKey(Stage.Utf8, state, 2, value & 0x0F, 3));
            case >= 0xF0 and < 0xF5:
                return Partial(new CharacterKey(Stage.Utf8, state, 3, value & 0x07, 4));
            default:
                return null;
        }
    }

    private ByteState? StepEscape(int state, byte value)
    {
        if (value == 'u')
        {
            return Partial(new CharacterKey(Stage.Hex, state, 4));
        }

        var character = value switch
        {
            (byte)'"' or (byte)'\\' => value,
            (byte)'/' when encoding == TextEncoding.JsonAny => value,
            (byte)'b' => '\b',
            (byte)'f' => '\f',
            (byte)'n' => '\n',
            (byte)'r' => '\r',
            (byte)'t' => '\t',
            _ => -1,
        };
        return character < 0 ? null : Character(state, character);
    }

    private ByteState? StepHex(CharacterKey key, byte value)
    {
        var digit = value switch
        {
            >= (byte)'0' and <= (byte)'9' => value - '0',
            >= (byte)'a' and <= (byte)'f' => value - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' when encoding == TextEncoding.JsonAny => value - 'A' + 10,
            _ => -1,
        };
        if (digit < 0)
        {
            return null;
        }

        var bits = (key.Value << 4) | digit;
        if (key.Count > 1)
        {
            return Partial(key with { Count = key.Count - 1, Value = bits });
        }

        if (key.Extra != 0)
        {
            return bits is >= 0xDC00 and <= 0xDFFF ? Character(key.State, char.ConvertToUtf32((char)key.Extra, (char)bits)) : null;
        }

        if (bits is >= 0xD800 and <= 0xDBFF)
        {
            return Partial(new CharacterKey(Stage.LowBackslash, key.State, 0, 0, bits));
        }

        return bits is >= 0xDC00 and <= 0xDFFF || (encoding == TextEncoding.Json && !IsWrittenInHex(bits)) ? null : Character(key.State, bits);
    }

    private ByteState? Finish(int state, int codePoint, int length)
    {
        var least = length switch { 2 => 0x80, 3 => 0x800, _ => 0x10000 };
        return codePoint < least || codePoint is (>= 0xD800 and <= 0xDFFF) or > 0x10FFFF ? null : Character(state, codePoint);
    }

    private ByteState? Character(int state, int codePoint)
    {
        var next = automaton.Step(state, codePoint);
        return next < 0 ? null : automaton.Redirect(next) is { } other ? other.Dfa.Content(other.State) : Content(next);
    }

    /// <summary>A state within a character, where any character that can come of it leads on.</summary>
    private ByteState? Partial(CharacterKey key) => Remaining(key) == CharAutomaton.Never ? null : Get(key);

    /// <summary>The fewest characters from within one to an accepting state, that one included.</summary>
    private int Remaining(CharacterKey key)
    {
        switch (key.Stage)
        {
            case Stage.Utf8:
                var shift = 6 * key.Count;
                var least = key.Extra switch { 2 => 0x80, 3 => 0x800, _ => 0x10000 };
                return Through(key.State, Math.Max(least, key.Value << shift), Math.Min(0x10FFFF, (key.Value << shift) | ((1 << shift) - 1)));
            case Stage.Escape when encoding == TextEncoding.JsonAny:
                return Through(key.State, 0, 0x10FFFF);
            case Stage.Escape:
                return Math.Min(Through(key.State, 0, 0x1F), Math.Min(Through(key.State, '"', '"'), Through(key.State, '\\', '\\')));
            case Stage.Hex when key.Extra != 0:
                return Pairs(key.State, key.Extra, key.Extra, key.Value << (4 * key.Count), (key.Value << (4 * key.Count)) | ((1 << (4 * key.Count)) - 1));
            case Stage.Hex:
                var (low, high) = (key.Value << (4 * key.Count), (key.Value << (4 * key.Count)) | ((1 << (4 * key.Count)) - 1));
                if (encoding == TextEncoding.Json)
                {
                    var best = CharAutomaton.Never;
                    for (var codePoint = low; codePoint <= Math.Min(high, 0x1F); codePoint++)
                    {
                        best = IsWrittenInHex(codePoint) ? Math.Min(best, Through(key.State, codePoint, codePoint)) : best;
                    }

                    return best;
                }

                return Math.Min(Through(key.State, low, high), Pairs(key.State, Math.Max(low, 0xD800), Math.Min(high, 0xDBFF), 0xDC00, 0xDFFF));
            case Stage.LowBackslash or Stage.LowU:
                return Pairs(key.State, key.Extra, key.Extra, 0xDC00, 0xDFFF);
            default:
                return automaton.MinCharacters(key.State);
        }
    }

    private int Through(int state, int low, int high)
    {
        if (low > high)
        {
            return CharAutomaton.Never;
        }

        // Surrogates are no characters.
        return low < 0xD800 && high > 0xDFFF
            ? Math.Min(automaton.MinCharactersThrough(state, low, 0xD7FF), automaton.MinCharactersThrough(state, 0xE000, high))
            : automaton.MinCharactersThrough(state, low, high);
    }

    private int Pairs(int state, int lowHigh, int highHigh, int lowLow, int highLow)
    {
        lowLow = Math.Max(lowLow, 0xDC00);
        highLow = Math.Min(highLow, 0xDFFF);
        if (lowHigh > highHigh || lowLow > highLow)
        {
            return CharAutomaton.Never;
        }

        return Through(state, char.ConvertToUtf32((char)lowHigh, (char)lowLow), char.ConvertToUtf32((char)highHigh, (char)highLow));
    }

    private static bool IsWrittenInHex(int codePoint) => codePoint < 0x20 && codePoint is not ('\b' or '\f' or '\n' or '\r' or '\t');

    private sealed class CharacterState : ByteState
    {
        private readonly CharacterDfa _owner;
        private readonly CharacterKey _key;
        private Dictionary<int, int>? _tags;

        public CharacterState(CharacterDfa owner, CharacterKey key)
        {
            _owner = owner;
            _key = key;
            var unframed = owner.Encoding is TextEncoding.Raw or TextEncoding.Closed && key.Stage is Stage.First or Stage.Content;
            Tag = key.Stage == Stage.Done || unframed ? owner.Automaton.Tag(key.State) : -1;
            IsFinal = key.Stage == Stage.Done || (unframed && owner.Automaton.MinCharactersThrough(key.State, 0, 0x10FFFF) == CharAutomaton.Never);
            IsWide = key.Stage is not (Stage.Before or Stage.Close or Stage.Done) && owner.Automaton.IsBroad(key.State);
            CompletesCharacter = key.Stage == Stage.Content;
            MinCharacters = key.Stage == Stage.Done ? 0 : owner.Remaining(key);
        }

        public override int MostCharactersNeeded => _owner.Automaton.MostCharactersNeeded + 1;

        public override ByteState? Base => _key.Stage switch
        {
            Stage.First => _owner.Automaton.Similar(_key.State) is { } similar ? similar.Dfa.First(similar.State) : null,
            Stage.Content => _owner.Automaton.Similar(_key.State) is { } similar ? similar.Dfa.Content(similar.State) : null,
            _ => null,
        };

        public override IReadOnlyList<int> Tags => _owner.Encoding == TextEncoding.Raw ? base.Tags : IsWithinCharacter ? [.. Distances().Keys] : _key.Stage is Stage.Close or Stage.Done ? [_owner.Automaton.Tag(_key.State)] : _owner.Automaton.Tags(_key.State);

        private bool IsWithinCharacter => _key.Stage is not (Stage.Before or Stage.First or Stage.Content or Stage.Close or Stage.Done);

        public override int MinBytesTo(int tag)
        {
            if (_owner.Encoding == TextEncoding.Raw)
            {
                return MinBytes;
            }

            if (IsWithinCharacter)
            {
                return Distances().GetValueOrDefault(tag, CharAutomaton.Never);
            }

            if (_key.Stage is Stage.Close or Stage.Done)
            {
                return _key.Stage == Stage.Done ? 0 : _owner.Automaton.Tag(_key.State) == tag ? _owner.Frame.Close - _key.Count : CharAutomaton.Never;
            }

            var within = _owner.Automaton.MinBytes(_key.State, tag);
            var (open, close) = _owner.Frame;
            return within == CharAutomaton.Never ? within : within + close + (_key.Stage == Stage.Before ? open - _key.Count : 0);
        }

        protected override ByteState? Compute(byte value) => _owner.Step(_key, value);

        protected override int ComputeMinBytes()
            => _owner.Encoding == TextEncoding.Raw ? base.ComputeMinBytes() : Tags.Min(MinBytesTo);

        /// <summary>Within a character: the bytes to each tag, over the few bytes that can follow.</summary>
        private Dictionary<int, int> Distances()
        {
            if (_tags is null)
            {
                var tags = new Dictionary<int, int>();
                for (var value = 0; value < 256; value++)
                {
                    if (Next((byte)value) is { } next)
                    {
                        foreach (var tag in next.Tags)
                        {
                            var bytes = next.MinBytesTo(tag);
                            if (bytes != CharAutomaton.Never && bytes + 1 < tags.GetValueOrDefault(tag, CharAutomaton.Never))
                            {
                                tags[tag] = bytes + 1;
                            }
                        }
                    }
                }

                _tags = tags;
            }

            return _tags;
        }
    }

}
