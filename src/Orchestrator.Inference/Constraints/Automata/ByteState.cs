namespace Orchestrator.Inference.Constraints.Automata;

/// <summary>
/// A state of a lazily built deterministic automaton over bytes. From every state that exists an accepting one can be
/// reached. States are shared by all generations; transitions are computed at first use.
/// </summary>
internal abstract class ByteState
{
    /// <summary>Stands for "no such transition", which null can't, as that means "not known yet".</summary>
    private static readonly ByteState Dead = new NoState();

    private static readonly int[] SingleTag = [0];

    /// <summary>By the high half of the byte, then the low half: most states have few ways on.</summary>
    private ByteState?[]?[]? _next;
    private TokenMaskCache? _masks;
    private int _minBytes = -1;

    /// <summary>The tag of the alternative that is accepted here, or −1 where nothing is.</summary>
    public int Tag { get; protected init; } = -1;

    /// <summary>Whether no byte can follow.</summary>
    public bool IsFinal { get; protected init; }

    /// <summary>Whether only a special token can follow.</summary>
    public bool BeginsSpecial { get; protected init; }

    /// <summary>Whether so many tokens may be allowed here that their mask is worth keeping.</summary>
    public bool IsWide { get; protected init; }

    /// <summary>
    /// Whether the state stands only for whoever holds it: the automaton has as many as it may keep, and another arrival
    /// makes another one.
    /// </summary>
    public bool IsTransient { get; internal set; }

    /// <summary>Whether arriving here completes a character that counts for a string's length.</summary>
    public bool CompletesCharacter { get; protected init; }

    /// <summary>How many more characters at least must be counted before accepting.</summary>
    public int MinCharacters { get; protected init; }

    /// <summary>The greatest <see cref="MinCharacters"/> of all states of the automaton.</summary>
    public virtual int MostCharactersNeeded => 0;

    /// <summary>A state of another automaton that allows the same wherever their transitions lead to one and the same state.</summary>
    public virtual ByteState? Base => null;

    public TokenMaskCache Masks => _masks ?? Interlocked.CompareExchange(ref _masks, new TokenMaskCache(), null) ?? _masks;

    /// <summary>The fewest bytes that lead to an accepting state.</summary>
    public int MinBytes
    {
        get
        {
            if (_minBytes < 0)
            {
                _minBytes = Tag >= 0 ? 0 : ComputeMinBytes();
            }

            return _minBytes;
        }
    }

    /// <summary>The state after a byte, or null where the byte is not allowed.</summary>
    public ByteState? Next(byte value)
    {
        var next = (_next ??= new ByteState?[]?[16])[value >> 4] ??= new ByteState?[16];
        var state = next[value & 15];
        if (state is null)
        {
            state = Compute(value) ?? Dead;
            if (state.IsTransient)
            {
                return state;
            }

            next[value & 15] = state;
        }

        return ReferenceEquals(state, Dead) ? null : state;
    }

    /// <summary>The tags that can still be accepted.</summary>
    public virtual IReadOnlyList<int> Tags => SingleTag;

    /// <summary>The fewest bytes that lead to an accepting state of a tag.</summary>
    public virtual int MinBytesTo(int tag) => MinBytes;

    protected abstract ByteState? Compute(byte value);

    /// <summary>Breadth-first search; automata that know better override it.</summary>
    protected virtual int ComputeMinBytes()
    {
        var seen = new HashSet<ByteState> { this };
        var ring = new List<ByteState> { this };
        for (var distance = 1; ; distance++)
        {
            var following = new List<ByteState>();
            foreach (var state in ring)
            {
                for (var value = 0; value < 256; value++)
                {
                    if (state.Next((byte)value) is { } next && seen.Add(next))
                    {
                        if (next.Tag >= 0)
                        {
                            return distance;
                        }

                        following.Add(next);
                    }
                }
            }

            if (following.Count == 0)
            {
                throw new InvalidOperationException("An automaton has a state from which nothing is accepted.");
            }

            ring = following;
        }
    }

    private sealed class NoState : ByteState
    {
        protected override ByteState? Compute(byte value) => null;
    }
}

/// <summary>A lazily built automaton whose states are values of a type that it interns.</summary>
internal abstract class ByteDfa<TKey>
    where TKey : struct, IEquatable<TKey>
{
    private readonly Dictionary<TKey, ByteState> _states = [];
    private readonly Lock _lock = new();

    /// <summary>How many states are kept.</summary>
    public int Count => _states.Count;

    /// <summary>The most states that are kept; those beyond it are made anew each time.</summary>
    protected virtual int MostStates => int.MaxValue;

    /// <summary>The state for a key; equal keys give one and the same state, while there is room for it.</summary>
    protected ByteState Get(TKey key)
    {
        lock (_lock)
        {
            if (!_states.TryGetValue(key, out var state))
            {
                state = Create(key);
                if (_states.Count < MostStates)
                {
                    _states.Add(key, state);
                }
                else
                {
                    state.IsTransient = true;
                }
            }

            return state;
        }
    }

    protected abstract ByteState Create(TKey key);
}
