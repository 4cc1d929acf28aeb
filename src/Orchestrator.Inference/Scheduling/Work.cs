using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling.Cache;

namespace Orchestrator.Inference.Scheduling;

/// <summary>
/// One sequence that the scheduler carries through: tokens to compute, and somebody who reads the output at some of
/// them. Touched by the scheduler's thread only, but for <see cref="Cancel"/>.
/// </summary>
internal abstract class Work
{
    private volatile bool _cancelled;

    protected Work(ModelRequest origin, IEnumerable<int> tokens)
    {
        Origin = origin;
        Adapters = AdapterSet.From(origin.Adapters);
        Tokens = [.. tokens];
        PromptLength = Tokens.Count;
    }

    /// <summary>Who asks.</summary>
    public ModelRequest Origin { get; }

    /// <summary>The adapters that it names.</summary>
    public AdapterSet Adapters { get; }

    /// <summary>Where they act; known once it is <see cref="Prepared"/>.</summary>
    public AdapterPlan Plan { get; set; } = AdapterPlan.Always(AdapterSet.None);

    /// <summary>Whether its adapters are loaded.</summary>
    public bool Prepared { get; set; }

    /// <summary>The invocation tokens of an activated adapter are looked for before this position.</summary>
    public virtual int InvocationEnd => PromptLength;

    /// <summary>All tokens so far, those of the answer included.</summary>
    public List<int> Tokens { get; }

    /// <summary>How many of them are the prompt.</summary>
    public int PromptLength { get; }

    /// <summary>The place in the line; lower came earlier.</summary>
    public long Order { get; set; }

    /// <summary>When it came, as a timestamp of the engine's clock.</summary>
    public long Arrival { get; set; }

    /// <summary>How urgent it was when it was taken up: its priority and what waiting added.</summary>
    public double Rank { get; set; }

    /// <summary>Its leaf in the KV tree while it is worked on.</summary>
    public KvNode? Leaf { get; set; }

    /// <summary>The position after the last that was ever given to the decoder.</summary>
    public int Fed { get; set; }

    /// <summary>How much of it was found in the cache when it was last taken up.</summary>
    public int Found { get; set; }

    /// <summary>Whether evicted sequences were looked through for it since it was put in the line.</summary>
    public bool TriedRestore { get; set; }

    /// <summary>Whether nothing is left to do.</summary>
    public bool Done { get; protected set; }

    /// <summary>Whether nobody waits for it any more.</summary>
    public bool Cancelled => _cancelled;

    /// <summary>Whether it can be taken up now.</summary>
    public virtual bool Ready => true;

    /// <summary>Whether all of it must go into one batch.</summary>
    public virtual bool InOneBatch => false;

    /// <summary>The position whose output is wanted next; nothing from there on can come from the cache.</summary>
    public abstract int NextOutput { get; }

    /// <summary>Positions from this one on are not worth keeping in the cache once it is done.</summary>
    public virtual int Keep => int.MaxValue;

    /// <summary>The positions at which a state is kept where the cache can't be cut.</summary>
    public virtual IReadOnlyList<int> Checkpoints => [];

    /// <summary>Whether the prompt ends at a position, so that the logits there may serve others.</summary>
    public abstract bool IsPromptEnd(int position);

    /// <summary>Whether the output at a position is wanted.</summary>
    public abstract bool WantsOutput(int position);

    /// <summary>Takes the output at a position; may add tokens, and may be done then.</summary>
    public abstract void Accept(int position, ReadOnlySpan<float> output);

    /// <summary>Ends it with an error.</summary>
    public abstract void Fail(Exception error);

    /// <summary>Called when it is put in the line, on the scheduler's thread.</summary>
    public virtual void Begin()
    {
    }

    /// <summary>Notes prompt tokens found in the cache.</summary>
    public abstract void CountReused(int tokens);

    /// <summary>Notes prompt tokens computed.</summary>
    public abstract void CountComputed(int tokens);

    /// <summary>Says that nobody waits any more; from any thread.</summary>
    public void Cancel() => _cancelled = true;
}
