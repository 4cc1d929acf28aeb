using Orchestrator.Core.Models;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>The engine.</summary>
/// <param name="name">Its name.</param>
/// <param name="model">The model.</param>
/// <param name="sharing">Whether prompts are laid out so that agents share their beginnings.</param>
internal sealed class EngineContender(string name, BenchmarkModel model, bool sharing) : Contender(name, model.Time)
{
    private InferenceEngine? _engine;
    private CountingDriver? _driver;

    protected override int Drafted => (int)_engine!.GetStatistics().DraftedTokens;

    // A draft that was right is a sampled token too.
    protected override int CountComputed(int sampled) =>
        _driver!.Fed - sampled - (Drafted - (int)_engine!.GetStatistics().DraftTokens);

    protected override Task OpenAsync(Workload workload, CancellationToken cancellationToken)
    {
        (_engine, _driver) = model.OpenEngine(sharing ? workload.SharedCells : workload.SeparateCells, workload.Agents + 8);
        return Task.CompletedTask;
    }

    protected override ValueTask CloseAsync()
    {
        var engine = _engine;
        _engine = null;
        return engine?.DisposeAsync() ?? default;
    }

    protected override Func<int, IEnumerable<int>> PrefixOf(Texts texts) => sharing ? _ => texts.Shared : texts.PrefixOf;

    protected override Task<Answer[]> AnswerAsync(IReadOnlyList<(int Agent, int[] Prompt)> asked, CancellationToken cancellationToken) =>
        Task.WhenAll(asked.Select(async question =>
        {
            var tokens = new List<int>();
            var first = TimeSpan.Zero;
            await foreach (var token in _engine!.GenerateAsync(
                new GenerationRequest
                {
                    Prompt = question.Prompt,
                    MaxTokens = Workload.Answer,
                    Checkpoints = sharing ? [question.Prompt.Length - Workload.Cue] : [],
                    Sampling = new SamplingOptions { Temperature = 0 },
                    Origin = new ModelRequest { Agent = $"agent {question.Agent}" },
                },
                cancellationToken).ConfigureAwait(false))
            {
                tokens.Add(token.Token);
                first = token.Cost?.FirstToken ?? first;
            }

            return new Answer([.. tokens], first);
        }));
}
