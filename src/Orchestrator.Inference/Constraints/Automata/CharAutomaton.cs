namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>
/// A deterministic automaton over Unicode scalar values. State −1 is the dead one; from all others an accepting one can
/// be reached.
/// </summary>
internal abstract class CharAutomaton
{
    /// <summary>Stands for "not at all" among distances.</summary>
    public const int Never = int.MaxValue;

    private static readonly int[] TagZero = [0];

    public abstract int Start { get; }

    /// <summary>The state after a character, or −1.</summary>
    public abstract int Step(int state, int codePoint);

    /// <summary>The tag that is accepted in a state, or −1.</summary>
    public abstract int Tag(int state);

    /// <summary>The fewest characters to an accepting state.</summary>
    public abstract int MinCharacters(int state);

    /// <summary>The greatest of <see cref="MinCharacters"/> over all states.</summary>
    public abstract int MostCharactersNeeded { get; }

    /// <summary>As <see cref="MinCharacters"/>, the first character being in a range; <see cref="Never"/> where none leads on.</summary>
    public abstract int MinCharactersThrough(int state, int low, int high);

    /// <summary>The fewest bytes to an accepting state of a tag, each character written as JSON does.</summary>
    public abstract int MinBytes(int state, int tag);

    /// <summary>Whether many different characters can follow.</summary>
    public abstract bool IsBroad(int state);

    /// <summary>The tags that can still be accepted.</summary>
    public virtual IReadOnlyList<int> Tags(int state) => TagZero;

    /// <summary>Where a state is one of another automaton, that one and its state.</summary>
    public virtual (CharacterDfa Dfa, int State)? Redirect(int state) => null;

    /// <summary>Where a state allows nearly the same as one of another automaton, that one and its state.</summary>
    public virtual (CharacterDfa Dfa, int State)? Similar(int state) => null;

    /// <summary>The bytes of a character in the shortest JSON spelling.</summary>
    public static int EncodedLength(int codePoint) => codePoint switch
    {
        '"' or '\\' or '\b' or '\f' or '\n' or '\r' or '\t' => 2,
        < 0x20 => 6,
        < 0x80 => 1,
        < 0x800 => 2,
        < 0x10000 => 3,
        _ => 4,
    };
}

/// <summary>All texts.</summary>
internal sealed class AnyText : CharAutomaton
{
    public override int Start => 0;

    public override int Step(int state, int codePoint) => 0;

    public override int Tag(int state) => 0;

    public override int MinCharacters(int state) => 0;

    public override int MostCharactersNeeded => 0;

    public override int MinCharactersThrough(int state, int low, int high) => low >= 0xD800 && high <= 0xDFFF ? Never : 1;

    public override int MinBytes(int state, int tag) => 0;

    public override bool IsBroad(int state) => true;
}
