using System.Diagnostics;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Bench;

/// <summary>What a contender needed for a workload.</summary>
/// <param name="Wall">The whole time.</param>
/// <param name="Computed">Positions given to the decoder that are neither sampled ones nor drafts.</param>
/// <param name="Drafted">Drafts given to the decoder.</param>
/// <param name="New">The fewest that these prompts need.</param>
/// <param name="FirstTokens">Time to each answer's first token.</param>
/// <param name="PeakMemory">The process's largest resident size meanwhile, in bytes; 0 where unknown.</param>
internal sealed record Outcome(TimeSpan Wall, int Computed, int Drafted, int New, IReadOnlyList<TimeSpan> FirstTokens, long PeakMemory);

/// <summary>One way of serving a workload.</summary>
internal abstract class Contender(string name)
{
    /// <summary>The name in tables.</summary>
    public string Name => name;

    /// <summary>Serves a workload from an empty cache.</summary>
    public async Task<Outcome> RunAsync(Workload workload, Texts texts)
    {
        await ResetAsync(workload);
        var conversation = new Conversation(workload, texts, PrefixOf(texts));
        var (fed, before) = (Fed, Drafts);
        PeakMemory.Reset();
        var clock = Stopwatch.StartNew();
        await conversation.RunAsync(AnswerAsync);
        var wall = clock.Elapsed;
        var sampled = workload.Answers * (Workload.Answer - 1);
        var (drafted, right) = (Drafts.All - before.All, Drafts.Right - before.Right);

        // A draft that was right is a sampled token too.
        return new Outcome(
            wall, Fed - fed - sampled - (drafted - right), drafted, PrefixTrie.CountNew(conversation.History), conversation.FirstTokens, PeakMemory.Read());
    }

    /// <summary>Positions given to the decoder so far.</summary>
    protected abstract int Fed { get; }

    /// <summary>Drafts so far, and those of them that were right.</summary>
    protected virtual (int All, int Right) Drafts => default;

    protected abstract Task ResetAsync(Workload workload);

    protected abstract Func<int, IEnumerable<int>> PrefixOf(Texts texts);

    protected abstract Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked);
}

/// <summary>The engine.</summary>
/// <param name="name">Its name.</param>
/// <param name="engine">The engine.</param>
/// <param name="driver">Its driver, which counts.</param>
/// <param name="sharing">Whether prompts are laid out so that agents share their beginnings.</param>
internal sealed class EngineContender(string name, InferenceEngine engine, CountingDriver driver, bool sharing) : Contender(name)
{
    protected override int Fed => driver.Fed;

    protected override (int All, int Right) Drafts =>
        engine.GetStatistics() is var all ? ((int)all.DraftedTokens, (int)all.DraftTokens) : default;

    protected override Task ResetAsync(Workload workload) => engine.ClearCacheAsync();

    protected override Func<int, IEnumerable<int>> PrefixOf(Texts texts) => sharing ? _ => texts.Shared : texts.PrefixOf;

    protected override Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked) =>
        Task.WhenAll(asked.Select(async question =>
        {
            var tokens = new List<int>();
            var clock = Stopwatch.StartNew();
            var first = TimeSpan.Zero;
            await foreach (var token in engine.GenerateAsync(new GenerationRequest
            {
                Prompt = question.Prompt,
                MaxTokens = Workload.Answer,
                Sampling = new SamplingOptions { Temperature = 0 },
                Origin = new ModelRequest { Agent = $"agent {question.Agent}" },
            }))
            {
                tokens.Add(token.Token);
                first = token.Cost?.FirstToken ?? clock.Elapsed;
            }

            return new Answer([.. tokens], first);
        }));
}

/// <summary>
/// As frameworks do that talk to a server by HTTP: each agent has its own context, which keeps its own prefix, and one
/// agent is computed after another.
/// </summary>
internal sealed class ContextPerAgent(ModelHandle model, int threads) : Contender("one context per agent")
{
    private readonly List<(RawContext Context, List<int> Cached)> _contexts = [];

    protected override int Fed => _contexts.Sum(c => c.Context.Fed);

    protected override Task ResetAsync(Workload workload)
    {
        _contexts.ForEach(c => c.Context.Dispose());
        _contexts.Clear();
        for (var agent = 0; agent < workload.Agents; agent++)
        {
            _contexts.Add((new RawContext(model, Cells.Round(workload.Longest), 1, 512, threads), []));
        }

        return Task.CompletedTask;
    }

    protected override Func<int, IEnumerable<int>> PrefixOf(Texts texts) => texts.PrefixOf;

    protected override Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked)
    {
        var start = Stopwatch.GetTimestamp();
        return Task.FromResult(asked.Select(question =>
        {
            var (context, cached) = _contexts[question.Agent];
            var kept = Math.Min(cached.Zip(question.Prompt).TakeWhile(p => p.First == p.Second).Count(), question.Prompt.Length - 1);
            context.Cut(0, kept);
            cached.RemoveRange(kept, cached.Count - kept);
            var next = context.Best(context.Prefill(question.Prompt.AsSpan(kept), kept, 0));
            cached.AddRange(question.Prompt.AsSpan(kept));
            var first = Stopwatch.GetElapsedTime(start);
            var answer = new List<int> { next };
            while (answer.Count < Workload.Answer)
            {
                var index = context.Add(next, cached.Count, 0, output: true);
                context.Decode();
                cached.Add(next);
                next = context.Best(index);
                answer.Add(next);
            }

            return new Answer([.. answer], first);
        }).ToArray());
    }

    /// <summary>Frees the contexts.</summary>
    public void Close()
    {
        _contexts.ForEach(c => c.Context.Dispose());
        _contexts.Clear();
    }
}

/// <summary>The limit: a bare loop that computes each new token once and decodes in the largest batch there can be.</summary>
internal sealed class Floor(RawContext context) : Contender("bare loop")
{
    // Sequence 0 holds the transcript, 1 + i what agent i computes after it.
    private readonly List<int> _trunk = [];

    protected override int Fed => context.Fed;

    protected override Task ResetAsync(Workload workload)
    {
        for (var sequence = 0; sequence <= workload.Agents; sequence++)
        {
            context.Cut(sequence, 0);
        }

        _trunk.Clear();
        return Task.CompletedTask;
    }

    protected override Func<int, IEnumerable<int>> PrefixOf(Texts texts) => _ => texts.Shared;

    protected override Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked)
    {
        var start = Stopwatch.GetTimestamp();
        var trunk = asked[0].Prompt.Length - Workload.Cue;
        if (trunk > _trunk.Count && asked.Count > 1)
        {
            context.Prefill(asked[0].Prompt.AsSpan(_trunk.Count, trunk - _trunk.Count), _trunk.Count, 0);
            _trunk.AddRange(asked[0].Prompt.AsSpan(_trunk.Count, trunk - _trunk.Count));
        }

        return Task.FromResult(asked.Count > 1 ? Together(asked, trunk, start) : [Alone(asked[0].Prompt, start)]);
    }

    private Answer Alone(int[] prompt, long start)
    {
        var next = context.Best(context.Prefill(prompt.AsSpan(_trunk.Count), _trunk.Count, 0));
        var first = Stopwatch.GetElapsedTime(start);
        _trunk.AddRange(prompt.AsSpan(_trunk.Count));
        var answer = new List<int> { next };
        while (answer.Count < Workload.Answer)
        {
            var index = context.Add(next, _trunk.Count, 0, output: true);
            context.Decode();
            _trunk.Add(next);
            next = context.Best(index);
            answer.Add(next);
        }

        return new Answer([.. answer], first);
    }

    private Answer[] Together(IReadOnlyList<(int Agent, int[] Prompt)> asked, int trunk, long start)
    {
        var indexes = new int[asked.Count];
        for (var i = 0; i < asked.Count; i++)
        {
            context.Cut(1 + i, 0);
            context.Copy(0, 1 + i, 0, trunk);
            for (var position = trunk; position < asked[i].Prompt.Length; position++)
            {
                indexes[i] = context.Add(asked[i].Prompt[position], position, 1 + i, position == asked[i].Prompt.Length - 1);
            }
        }

        context.Decode();
        var first = Stopwatch.GetElapsedTime(start);
        var answers = indexes.Select(index => new List<int> { context.Best(index) }).ToArray();
        for (var length = 1; length < Workload.Answer; length++)
        {
            for (var i = 0; i < asked.Count; i++)
            {
                indexes[i] = context.Add(answers[i][^1], asked[i].Prompt.Length + length - 1, 1 + i, output: true);
            }

            context.Decode();
            for (var i = 0; i < asked.Count; i++)
            {
                answers[i].Add(context.Best(indexes[i]));
            }
        }

        // The first answer stays where it is as the transcript's next message.
        var end = asked[0].Prompt.Length + Workload.Answer - 1;
        context.Copy(1, 0, trunk, end);
        _trunk.AddRange(asked[0].Prompt.AsSpan(trunk));
        _trunk.AddRange(answers[0].Take(Workload.Answer - 1));
        return [.. answers.Select(a => new Answer([.. a], first))];
    }
}

/// <summary>Context sizes.</summary>
internal static class Cells
{
    /// <summary>The library rounds to multiples of 256 itself.</summary>
    public static int Round(int cells) => (cells + 255) / 256 * 256;
}

/// <summary>The process's largest resident size.</summary>
internal static class PeakMemory
{
    /// <summary>Forgets what was (proc(5), clear_refs).</summary>
    public static void Reset()
    {
        if (OperatingSystem.IsLinux())
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
    }

    /// <summary>Bytes; 0 where the system does not tell.</summary>
    public static long Read() => OperatingSystem.IsLinux()
        ? long.Parse(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024
        : 0;
}
