using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>
/// As frameworks do that talk to a server by HTTP: each agent has its own context, which keeps its own prefix, and one
/// agent is computed after another.
/// </summary>
/// <param name="model">The model.</param>
internal sealed class ContextPerAgent(BenchmarkModel model) : Contender("one context per agent", model.Time)
{
    private readonly List<(RawContext Context, List<int> Cached)> _contexts = [];
    private ModelHandle? _weights;

    protected override int CountComputed(int sampled) => _contexts.Sum(c => c.Context.Fed) - sampled;

    protected override Task OpenAsync(Workload workload, CancellationToken cancellationToken)
    {
        _weights = model.LoadWeights();
        for (var agent = 0; agent < workload.Agents; agent++)
        {
            _contexts.Add((model.OpenContext(_weights, workload.Longest, 1, cancellationToken), []));
        }

        return Task.CompletedTask;
    }

    protected override ValueTask CloseAsync()
    {
        _contexts.ForEach(c => c.Context.Dispose());
        _contexts.Clear();
        _weights?.Dispose();
        return default;
    }

    protected override Func<int, IEnumerable<int>> PrefixOf(Texts texts) => texts.PrefixOf;

    protected override Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked, CancellationToken cancellationToken)
    {
        var start = model.Time.GetTimestamp();
        return Task.FromResult(asked.Select(question =>
        {
            var (context, cached) = _contexts[question.Agent];
            var kept = Math.Min(cached.Zip(question.Prompt).TakeWhile(p => p.First == p.Second).Count(), question.Prompt.Length - 1);
            context.Cut(0, kept);
            cached.RemoveRange(kept, cached.Count - kept);
            var next = context.Best(context.Prefill(question.Prompt.AsSpan(kept), kept, 0));
            cached.AddRange(question.Prompt.AsSpan(kept));
            var first = model.Time.GetElapsedTime(start);
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
}
