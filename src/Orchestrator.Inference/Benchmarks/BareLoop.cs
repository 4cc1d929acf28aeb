using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>The limit: a bare loop that computes each new token once and decodes in the largest batch there can be.</summary>
/// <param name="model">The model.</param>
internal sealed class BareLoop(BenchmarkModel model) : Contender("bare loop", model.Time)
{
    // Sequence 0 holds the transcript, 1 + i what agent i computes after it.
    private readonly List<int> _trunk = [];

    private ModelHandle? _weights;
    private RawContext? _opened;

    protected override int CountComputed(int sampled) => Context.Fed - sampled;

    private RawContext Context => _opened!;

    protected override Task OpenAsync(Workload workload, CancellationToken cancellationToken)
    {
        _weights = model.LoadWeights();
        _opened = model.OpenContext(_weights, workload.SharedCells, workload.Agents + 1, cancellationToken);
        _trunk.Clear();
        return Task.CompletedTask;
    }

    protected override ValueTask CloseAsync()
    {
        _opened?.Dispose();
        _weights?.Dispose();
        return default;
    }

    protected override Func<int, IEnumerable<int>> PrefixOf(Texts texts) => _ => texts.Shared;

    protected override Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked, CancellationToken cancellationToken)
    {
        var start = model.Time.GetTimestamp();
        var trunk = asked[0].Prompt.Length - Workload.Cue;
        if (trunk > _trunk.Count && asked.Count > 1)
        {
            Context.Prefill(asked[0].Prompt.AsSpan(_trunk.Count, trunk - _trunk.Count), _trunk.Count, 0);
            _trunk.AddRange(asked[0].Prompt.AsSpan(_trunk.Count, trunk - _trunk.Count));
        }

        return Task.FromResult(asked.Count > 1 ? Together(asked, trunk, start) : [Alone(asked[0].Prompt, start)]);
    }

    private Answer Alone(int[] prompt, long start)
    {
        var next = Context.Best(Context.Prefill(prompt.AsSpan(_trunk.Count), _trunk.Count, 0));
        var first = model.Time.GetElapsedTime(start);
        _trunk.AddRange(prompt.AsSpan(_trunk.Count));
        var answer = new List<int> { next };
        while (answer.Count < Workload.Answer)
        {
            var index = Context.Add(next, _trunk.Count, 0, output: true);
            Context.Decode();
            _trunk.Add(next);
            next = Context.Best(index);
            answer.Add(next);
        }

        return new Answer([.. answer], first);
    }

    private Answer[] Together(IReadOnlyList<(int Agent, int[] Prompt)> asked, int trunk, long start)
    {
        var indexes = new int[asked.Count];
        for (var i = 0; i < asked.Count; i++)
        {
            Context.Cut(1 + i, 0);
            Context.Copy(0, 1 + i, 0, trunk);
            for (var position = trunk; position < asked[i].Prompt.Length; position++)
            {
                indexes[i] = Context.Add(asked[i].Prompt[position], position, 1 + i, position == asked[i].Prompt.Length - 1);
            }
        }

        Context.Decode();
        var first = model.Time.GetElapsedTime(start);
        var answers = indexes.Select(index => new List<int> { Context.Best(index) }).ToArray();
        for (var length = 1; length < Workload.Answer; length++)
        {
            for (var i = 0; i < asked.Count; i++)
            {
                indexes[i] = Context.Add(answers[i][^1], asked[i].Prompt.Length + length - 1, 1 + i, output: true);
            }

            Context.Decode();
            for (var i = 0; i < asked.Count; i++)
            {
                answers[i].Add(Context.Best(indexes[i]));
            }
        }

        // The first answer stays where it is as the transcript's next message.
        var end = asked[0].Prompt.Length + Workload.Answer - 1;
        Context.Copy(1, 0, trunk, end);
        _trunk.AddRange(asked[0].Prompt.AsSpan(trunk));
        _trunk.AddRange(answers[0].Take(Workload.Answer - 1));
        return [.. answers.Select(a => new Answer([.. a], first))];
    }
}
