namespace Orchestrator.Inference.Benchmarks;

/// <summary>How large a benchmark is.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>Agents of the conversation, 1 to 32.</summary>
    public int Agents { get; init; } = 4;

    /// <summary>Tokens of the preamble that all agents see, 1 to 100,000.</summary>
    public int Preamble { get; init; } = 1024;

    /// <summary>How often each agent speaks, 1 to 20.</summary>
    public int Rounds { get; init; } = 2;

    /// <summary>Answers at a time whose speed is measured, each 1 to 32.</summary>
    public IReadOnlyList<int> Answers { get; init; } = [1, 8, 16];

    /// <summary>Tokens of each of those answers, at least 2.</summary>
    public int AnswerTokens { get; init; } = 32;

    /// <summary>Tokens of the prompt by which reading is measured, at least 1.</summary>
    public int PromptTokens { get; init; } = 512;

    /// <summary>How often each speed is measured, the contenders by turns; at least 1.</summary>
    public int Repeats { get; init; } = 3;

    /// <summary>A look instead of a measurement: fewer agents, shorter texts, no repeats.</summary>
    public static BenchmarkOptions Quick { get; } = new()
    {
        Agents = 3,
        Preamble = 256,
        Rounds = 1,
        AnswerTokens = 16,
        PromptTokens = 256,
        Repeats = 1,
    };
}

/// <summary>What a model gives on this machine.</summary>
public sealed record BenchmarkReport
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The model's weights in bytes.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Threads that computed.</summary>
    public required int Threads { get; init; }

    /// <summary>The median of what the machine gave.</summary>
    public required MachineReading Machine { get; init; }

    /// <summary>How far the machine drifted during the whole benchmark; 1 is not at all.</summary>
    public required double Drift { get; init; }

    /// <summary>How fast prompts are read.</summary>
    public required RateFigures Prefill { get; init; }

    /// <summary>How fast answers are written, by their number at a time.</summary>
    public required IReadOnlyList<RateFigures> Decode { get; init; }

    /// <summary>What a conversation costs, all at once and in turn; empty for a model whose cache can't be cut.</summary>
    public required IReadOnlyList<ConversationFigures> Conversations { get; init; }

    /// <summary>The most drift with which figures are trusted.</summary>
    public static double MostDrift => MachineWatch.MostDrift;

    /// <summary>Whether the machine was steady enough for the figures to be trusted.</summary>
    public bool Trusted => Drift <= MostDrift;
}

/// <summary>A speed.</summary>
/// <param name="Tokens">Tokens in a step: answers at a time, or the prompt's tokens.</param>
/// <param name="TokensPerSecond">The engine's, the median of the repeats.</param>
/// <param name="BareTokensPerSecond">That of a bare loop over llama.cpp.</param>
/// <param name="ShareOfBare">The engine's by the bare loop's, the median of the repeats.</param>
/// <param name="ShareOfLimit">
/// The engine's by what reading the weights and arithmetic on 32-bit floats allow; kernels for integers can pass 1.
/// </param>
/// <param name="Drift">How far the machine drifted meanwhile.</param>
public sealed record RateFigures(
    int Tokens, double TokensPerSecond, double BareTokensPerSecond, double ShareOfBare, double ShareOfLimit, double Drift)
{
    /// <summary>Whether the machine was steady enough for the figures to be compared.</summary>
    public bool Trusted => Drift <= MachineWatch.MostDrift;
}

/// <summary>How far a benchmark has come.</summary>
/// <param name="Done">Parts that are done.</param>
/// <param name="Total">All parts.</param>
/// <param name="Next">What is measured now, in a few words.</param>
public sealed record BenchmarkProgress(int Done, int Total, string Next);
