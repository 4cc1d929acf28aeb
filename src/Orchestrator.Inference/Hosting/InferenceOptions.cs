using System.ComponentModel.DataAnnotations;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Hosting;

/// <summary>How models are loaded and served; section <c>Orchestrator</c> of the settings.</summary>
public sealed class InferenceOptions
{
    /// <summary>The section of the configuration that these are read from.</summary>
    public const string Section = "Orchestrator";

    /// <summary>The model to use where none is named: a GGUF file's path, or a name in the model store.</summary>
    public string? Model { get; set; }

    /// <summary>
    /// Cells of the KV cache, shared by all agents, in tokens; 0 takes the model's trained context, at most 8,192,
    /// and no more than fits in memory.
    /// </summary>
    [Range(0, 1 << 24)]
    public int ContextSize { get; set; }

    /// <summary>Sequences that the context can hold at once, 2 to 256.</summary>
    [Range(2, 256)]
    public int MaxSequences { get; set; } = 64;

    /// <summary>The most tokens computed in one step, 8 to 8,192.</summary>
    [Range(8, 8192)]
    public int BatchSize { get; set; } = 512;

    /// <summary>Threads to compute with; 0 takes one for each physical core.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Layers to put on the GPU, where the native library has one; −1 for all.</summary>
    [Range(-1, 1024)]
    public int GpuLayers { get; set; } = -1;

    /// <summary>The most tokens of an answer where the caller names no limit.</summary>
    [Range(1, 1 << 20)]
    public int MaxOutputTokens { get; set; } = 1024;

    /// <summary>
    /// The most tokens of reasoning before a required tool call or an answer of a given form, 0 for none; never more than
    /// half of what the answer may have. What a free answer reasons counts for <see cref="MaxOutputTokens"/> only.
    /// </summary>
    [Range(0, 1 << 20)]
    public int MaxReasoningTokens { get; set; } = 512;

    /// <summary>The seed of calls that name none; each takes the next number from here.</summary>
    public ulong Seed { get; set; }

    /// <summary>
    /// Whether to guess that an answer copies from its prompt or from itself, and to check several tokens in one step.
    /// Answers do not depend on it.
    /// </summary>
    public bool PromptLookup { get; set; } = true;

    /// <summary>
    /// A small model of the same vocabulary that guesses ahead for the others: a GGUF file's path, or a name in the
    /// model store; null for none. Answers do not depend on it.
    /// </summary>
    public string? DraftModel { get; set; }

    /// <summary>
    /// An absolute folder where what the KV cache held is kept from one start to the next, so that a restarted host does
    /// not compute it again; null for none. It holds the texts of prompts as token ids.
    /// </summary>
    [RegularExpression(@"([A-Za-z]:)?[\\/].*", ErrorMessage = "StateFolder must be an absolute path, such as /var/cache/orchestrator.")]
    public string? StateFolder { get; set; }

    /// <summary>The most bytes that <see cref="StateFolder"/> may hold of a model; the least recently used go first.</summary>
    [Range(0, long.MaxValue)]
    public long StateFolderBytes { get; set; } = 4L << 30;

    /// <summary>Requests that may wait; one more is refused with a clear error.</summary>
    [Range(1, 1 << 20)]
    public int MaxQueuedRequests { get; set; } = 1024;

    /// <summary>
    /// Whether a file that was never loaded on this machine is first tried in a child process, since some broken files
    /// end the process that loads them. Needs <see cref="ProbeCommand"/>.
    /// </summary>
    public bool ProbeUnknownModels { get; set; } = true;

    /// <summary>
    /// The command line, word by word, that tries a file as <see cref="ModelProbeChild"/> does; the file's path is
    /// appended. Empty for none, which leaves it at validation in this process; the console sets itself.
    /// </summary>
    public IList<string> ProbeCommand { get; } = [];

    /// <summary>How long the child may report nothing before it is taken for hung.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00")]
    public TimeSpan ProbeSilence { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How a context is used by these settings, as far as memory depends on it.</summary>
    public MemoryAssumptions MemoryAssumptions => new() { Batch = Math.Max(BatchSize, MaxSequences), Sequences = MaxSequences };
}
