namespace Orchestrator.Inference.Benchmarks;

/// <summary>How the agents of a workload talk.</summary>
public enum Talk
{
    /// <summary>In each round all answer at the same time, then see all answers.</summary>
    AtOnce,

    /// <summary>One after another, each seeing what was said before.</summary>
    InTurn,
}

/// <summary>What one cell of the sweep asks of every contender: the same texts with the same visibility.</summary>
/// <param name="Talk">How the agents talk.</param>
/// <param name="Agents">How many there are.</param>
/// <param name="Preamble">Tokens of the task and house rules, which all see; the roster of role cards is its end.</param>
/// <param name="Rounds">How often each of them speaks.</param>
public sealed record Workload(Talk Talk, int Agents, int Preamble, int Rounds)
{
    /// <summary>Tokens of an answer.</summary>
    public const int Answer = 32;

    /// <summary>Tokens of a role card.</summary>
    public const int Role = 64;

    /// <summary>Tokens that say whose turn it is; they stay in the transcript as the message's header.</summary>
    public const int Cue = 8;

    /// <summary>
    /// The same for every contender, and done before the first measurement: code that runs for the first time is slow.
    /// </summary>
    internal static Workload WarmUp { get; } = new(Talk.AtOnce, 2, Role, 1);

    /// <summary>Positions that the longest prompt and its answer take.</summary>
    internal int Longest => Role + Preamble + (Agents * Role) + (Agents * Rounds * (Cue + Answer)) + 8;

    /// <summary>Cells that the conversation takes where all agents share them.</summary>
    internal int SharedCells => Longest + (Agents * (Cue + Answer + 16));

    /// <summary>Cells that it takes where nothing is shared.</summary>
    internal int SeparateCells => Agents * Longest;

    /// <summary>Answers in all.</summary>
    internal int Answers => Agents * Rounds;

    /// <summary>The texts; ids that are ordinary tokens of any vocabulary of that size.</summary>
    internal Texts Write(int vocabulary, int seed)
    {
        var random = new Random(seed);
        int[] Text(int length) => [.. Enumerable.Range(0, length).Select(_ => random.Next(vocabulary / 4, vocabulary * 3 / 4))];
        return new Texts(
            Text(Preamble),
            [.. Enumerable.Range(0, Agents).Select(_ => Text(Role))],
            [.. Enumerable.Range(0, Agents).Select(_ => Text(Cue))]);
    }

    /// <summary>How the agents talk, in words.</summary>
    internal string TalkText => Talk == Talk.AtOnce ? "at once" : "in turn";

    /// <inheritdoc/>
    public override string ToString() => $"{TalkText}, {Agents} agents, preamble {Preamble}, {Rounds} rounds";
}

/// <summary>The token ids of a workload.</summary>
/// <param name="Preamble">What all see.</param>
/// <param name="Roles">Each agent's role card, public too.</param>
/// <param name="Cues">Each agent's cue.</param>
internal sealed record Texts(int[] Preamble, int[][] Roles, int[][] Cues)
{
    /// <summary>The layout that shares: what is common first, the cue last.</summary>
    public IEnumerable<int> Shared => Preamble.Concat(Roles.SelectMany(r => r));

    /// <summary>The layout of one context for each agent: its own role card first, then what all see.</summary>
    public IEnumerable<int> PrefixOf(int agent) =>
        Roles[agent].Concat(Preamble).Concat(Roles.Where((_, i) => i != agent).SelectMany(r => r));
}
