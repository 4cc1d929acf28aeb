using System.Runtime.InteropServices;
using Orchestrator.Core;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling.Cache;
using Orchestrator.Inference.Scheduling.Sampling;

namespace Orchestrator.Inference.Scheduling.Speculation;

/// <summary>
/// A small model that guesses ahead for a large one of the same vocabulary, for several requests in one batch. Its
/// prefixes are shared in a KV tree of its own. It draws with the random numbers that the large model will draw with,
/// so that where the two distributions agree, the tokens do. Touched by the scheduler's thread only.
/// </summary>
internal sealed class DraftModel
{
    /// <summary>The most tokens of prompts that are read before the others' drafts of a step.</summary>
    private const int PromptChunk = 256;

    /// <summary>A prompt longer than this many times the answer to come is not worth reading.</summary>
    private const int LongestPrompt = 8;

    private readonly IModelDriver _driver;
    private readonly KvTree _tree;
    private readonly TokenSampler _sampler;
    private readonly int _vocabulary;
    private readonly DecodeBatch _batch = new();
    private readonly List<(Generation Generation, DraftWriter Writer, int Index)> _outputs = [];
    private readonly List<(KvNode Leaf, int Count)> _fed = [];

    private DraftModel(IModelDriver driver, int vocabulary)
    {
        _driver = driver;
        _tree = new KvTree(driver, logitsRows: 0, stateBytes: 0);
        _vocabulary = vocabulary;
        _sampler = new TokenSampler(vocabulary);
    }

    /// <summary>Puts a small model in front of a large one.</summary>
    /// <param name="model">The large one.</param>
    /// <param name="draft">The small one.</param>
    /// <exception cref="OrchestratorException">It has another vocabulary, or its cache cannot be cut.</exception>
    public static DraftModel For(IModelDriver model, IModelDriver draft) => draft.Info.CanCut
        ? new DraftModel(draft, SharedVocabulary.Check(model, draft))
        : throw new OrchestratorException(
            ErrorKind.Usage,
            $"{draft.Info.Name} cannot draft: its cache cannot be cut, so wrong guesses could not be taken back.",
            "Name a draft model of another architecture, or none.");

    /// <summary>What its batches cost.</summary>
    public StepTime StepTime { get; } = new(null);

    private int Longest => Math.Min(_driver.Info.ContextSize, _driver.Info.TrainedContext);

    /// <summary>Whether guessing for a generation may pay.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="depth">How many tokens ahead.</param>
    public bool CanDraft(Generation generation, int depth)
    {
        var read = generation.Drafting!.ModelLeaf?.ComputedEnd ?? 0;
        return generation.Tokens.Count + depth <= Longest
            && generation.Tokens.Count - read <= Math.Max(PromptChunk, LongestPrompt * generation.MostDraft);
    }

    /// <summary>Writes drafts. A generation whose text is not read to its end yet gets none.</summary>
    /// <param name="generations">For whom, each with a writer.</param>
    /// <param name="depth">The most rounds.</param>
    /// <param name="clock">The clock that batches are timed by.</param>
    public void Draft(IReadOnlyList<(Generation Generation, DraftWriter Writer)> generations, int depth, TimeProvider clock)
    {
        Begin();
        var room = Math.Min(_driver.Info.BatchSize, PromptChunk + generations.Count);
        foreach (var (generation, writer) in generations)
        {
            if (TakeUp(generation) is { } leaf)
            {
                Add(generation, writer, leaf, room - _batch.Count);
            }
        }

        for (var round = 0; _batch.Count > 0; round++)
        {
            if (!Compute(clock, measure: round > 0))
            {
                break;
            }

            var drawn = _outputs.ToArray();
            foreach (var (_, writer, index) in drawn)
            {
                writer.Draw(_sampler, _driver.GetLogits(index)[.._vocabulary]);
            }

            Begin();
            foreach (var (generation, writer, _) in drawn)
            {
                if (round + 1 < depth && !writer.Ended)
                {
                    var leaf = generation.Drafting!.ModelLeaf!;
                    var done = leaf.End - generation.Tokens.Count;
                    leaf.Tokens.AddRange(writer.Draft.Skip(done).Select(d => d.Token));
                    Add(generation, writer, leaf, _driver.Info.BatchSize - _batch.Count);
                }
            }
        }

        // What is still to be read is planned anew, lest others wait for one that is not drafted for any more.
        foreach (var (generation, _) in generations)
        {
            if (generation.Drafting!.ModelLeaf is { } leaf)
            {
                _tree.Trim(leaf, leaf.ComputedEnd);
            }
        }
    }

    /// <summary>Lets go of what a generation that is done held; its cells stay for those who come after.</summary>
    public void Leave(Generation generation)
    {
        if (generation.Drafting is { ModelLeaf: { } leaf } drafting)
        {
            drafting.ModelLeaf = null;
            _tree.Release(leaf, Math.Max(leaf.Start, leaf.Start + Agreeing(leaf, generation.Tokens)));
        }
    }

    /// <summary>Compares the KV tree with the driver's cells.</summary>
    public IReadOnlyList<string> Audit() => KvAudit.Check(_tree, _driver);

    /// <summary>Drops everything from the cache that no generation works on.</summary>
    public void Clear() => _tree.Clear();

    private void Begin()
    {
        _batch.Clear();
        _outputs.Clear();
        _fed.Clear();
    }

    /// <summary>Brings a generation's leaf to where its text goes on, and plans what is to be read of it.</summary>
    private KvNode? TakeUp(Generation generation)
    {
        var drafting = generation.Drafting!;
        var tokens = CollectionsMarshal.AsSpan(generation.Tokens);
        if (tokens.ContainsAnyInRange(_vocabulary, int.MaxValue))
        {
            return null;
        }

        if (drafting.ModelLeaf is { } held && Agreeing(held, generation.Tokens) is var agreeing
            && !(agreeing >= 0 && _tree.Trim(held, held.Start + agreeing)))
        {
            // The guess went another way before the leaf begins, because others share what is before.
            drafting.ModelLeaf = null;
            _tree.Release(held);
        }

        if (drafting.ModelLeaf is null)
        {
            var match = _tree.Match(AdapterPlan.Always(AdapterSet.None), tokens[..^1]);
            if (match.Planned > match.Length)
            {
                // Somebody reads the same now.
                return null;
            }

            drafting.ModelLeaf = _tree.Fork(match, AdapterSet.None, generation);
        }

        if (drafting.ModelLeaf is { } leaf && leaf.End < generation.Tokens.Count)
        {
            leaf.Tokens.AddRange(generation.Tokens.GetRange(leaf.End, generation.Tokens.Count - leaf.End));
        }

        return drafting.ModelLeaf;
    }

    /// <summary>How many of a leaf's computed tokens are the text's, the last token apart; −1 where it begins later.</summary>
    private static int Agreeing(KvNode leaf, List<int> text)
    {
        // What comes before the leaf is the text's, unless a wrong guess was shared.
        for (var node = leaf.Parent; node is { Parent: not null }; node = node.Parent)
        {
            if (node.End > text.Count - 1
                || !CollectionsMarshal.AsSpan(node.Tokens).SequenceEqual(CollectionsMarshal.AsSpan(text)[node.Start..node.End]))
            {
                return -1;
            }
        }

        return leaf.Start > text.Count - 1
            ? -1
            : Math.Min(leaf.Computed, leaf.MatchLength(CollectionsMarshal.AsSpan(text)[leaf.Start..^1]));
    }

    private void Add(Generation generation, DraftWriter writer, KvNode leaf, int most)
    {
        var count = Math.Min(leaf.Tokens.Count - leaf.Computed, most);
        if (count <= 0 || !HasCells(_batch.Count + count))
        {
            return;
        }

        for (var i = 0; i < count; i++)
        {
            var at = leaf.Computed + i;
            var last = at == leaf.Tokens.Count - 1;
            var index = _batch.Add(leaf.Tokens[at], leaf.Start + at, last, leaf.Sequence);
            if (last)
            {
                _outputs.Add((generation, writer, index));
            }
        }

        _fed.Add((leaf, count));
    }

    private bool HasCells(int count) => _tree.CellsFree >= count || _tree.Evict(count - _tree.CellsFree);

    private bool Compute(TimeProvider clock, bool measure)
    {
        var started = clock.GetTimestamp();
        if (_driver.Decode(_batch) != DecodeStatus.Done)
        {
            return false;
        }

        if (measure)
        {
            StepTime.Record(_batch.Count, clock.GetElapsedTime(started).TotalSeconds);
        }

        foreach (var (leaf, count) in _fed)
        {
            _tree.Advance(leaf, count);
        }

        return true;
    }
}
