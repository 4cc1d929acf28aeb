using Microsoft.Extensions.Options;
using Orchestrator.Core;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;
using Orchestrator.Inference.Store;

namespace Orchestrator.Inference.Benchmarks;

/// <summary>
/// Measures what a model gives on this machine: how fast it reads and writes, and what a conversation of many agents
/// costs, against one context for each agent and against a bare loop over llama.cpp, by turns in this process.
/// </summary>
public sealed class ModelBenchmark
{
    private const int MostAgents = 32;
    private const int Ways = 3;

    private readonly InferenceOptions _options;
    private readonly ModelStore _store;
    private readonly ModelProbe _probe;
    private readonly TimeProvider _time;

    /// <summary>Creates it.</summary>
    /// <param name="options">Threads and layers on a GPU.</param>
    /// <param name="store">Finds models by name.</param>
    /// <param name="probe">Tries files that were never loaded here.</param>
    /// <param name="time">The clock.</param>
    public ModelBenchmark(IOptions<InferenceOptions> options, ModelStore store, ModelProbe probe, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Value;
        _store = store;
        _probe = probe;
        _time = time;
    }

    /// <summary>Measures.</summary>
    /// <param name="nameOrPath">A name in the store or a GGUF file's path; null for the one in the settings.</param>
    /// <param name="options">How large the benchmark is.</param>
    /// <param name="progress">Told before each part; may be null.</param>
    /// <param name="cancellationToken">Ends it at the next batch.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="OrchestratorException">There is no such model, it is broken, or it does not fit.</exception>
    public async Task<BenchmarkReport> RunAsync(
        string? nameOrPath, BenchmarkOptions options, IProgress<BenchmarkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Validate(options);
        var file = GgufValidator.ReadValid(_store.Resolve(nameOrPath ?? _options.Model), cancellationToken);
        if (_probe.IsDue(file))
        {
            await _probe.TryAsync(file, progress: null, cancellationToken).ConfigureAwait(false);
        }

        // The loops over the C API hold their thread.
        return await Task.Run(() => MeasureAsync(file, options, progress, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private static void Validate(BenchmarkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Within(options.Agents, 1, MostAgents, nameof(options.Agents));
        Within(options.Preamble, 1, 100_000, nameof(options.Preamble));
        Within(options.Rounds, 1, 20, nameof(options.Rounds));
        Within(options.AnswerTokens, 2, 10_000, nameof(options.AnswerTokens));
        Within(options.PromptTokens, 1, 100_000, nameof(options.PromptTokens));
        Within(options.Repeats, 1, 1000, nameof(options.Repeats));
        Within(options.Answers.Count, 1, 32, nameof(options.Answers));
        Within(options.Answers.Min(), 1, MostAgents, nameof(options.Answers));
        Within(options.Answers.Max(), 1, MostAgents, nameof(options.Answers));

        static void Within(int value, int least, int most, string name)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most, name);
        }
    }

    private async Task<BenchmarkReport> MeasureAsync(
        GgufModel file, BenchmarkOptions options, IProgress<BenchmarkProgress>? progress, CancellationToken cancellationToken)
    {
        var threads = _options.Threads > 0 ? _options.Threads : Hardware.Detect().RecommendedThreads;
        var model = new BenchmarkModel(file.Path, threads, _options.GpuLayers, _time);
        var workloads = new[] { Talk.AtOnce, Talk.InTurn }
            .Select(talk => new Workload(talk, options.Agents, options.Preamble, options.Rounds)).ToList();
        LlamaDriverLoader.RequireMemory(file, model.Options(workloads[0].SeparateCells, options.Agents));
        var watch = new MachineWatch(new MachineProbe(threads, _time).Read);
        var done = 0;
        var total = 2 + options.Answers.Count + (workloads.Count * Ways);
        void Next(string what) => progress?.Report(new BenchmarkProgress(done++, total, what));

        Next("the machine");
        watch.Take();
        var (prefill, decode, canCut, vocabulary) = await MeasureRatesAsync(file, model, options, watch, Next, cancellationToken).ConfigureAwait(false);
        Contender[] contenders = [new EngineContender("orchestrator", model, sharing: true), new ContextPerAgent(model), new BareLoop(model)];
        var conversations = new List<ConversationFigures>();
        foreach (var workload in canCut ? workloads : [])
        {
            conversations.Add(await ConversationFigures.MeasureAsync(
                workload,
                contenders,
                repeats: 1,
                vocabulary,
                watch,
                name => Next($"agents {workload.TalkText}, {name}"),
                cancellationToken).ConfigureAwait(false));
        }

        progress?.Report(new BenchmarkProgress(total, total, "done"));
        var card = ModelCard.Of(file);
        return new BenchmarkReport
        {
            Model = card.Name,
            WeightBytes = file.Tensors.Sum(tensor => tensor.Bytes),
            Threads = threads,
            Machine = new MachineReading(
                Ranked.Median(watch.Readings.Select(r => r.ReadGigabytes)), Ranked.Median(watch.Readings.Select(r => r.MultiplyGigaflops))),
            Drift = watch.DriftSince(0),
            Prefill = prefill,
            Decode = decode,
            Conversations = conversations,
        };
    }

    private async Task<(RateFigures Prefill, List<RateFigures> Decode, bool CanCut, int Vocabulary)> MeasureRatesAsync(
        GgufModel file, BenchmarkModel model, BenchmarkOptions options, MachineWatch watch, Action<string> next, CancellationToken cancellationToken)
    {
        var most = options.Answers.Max();
        var cells = Math.Max(options.PromptTokens + 16, Rates.Cells(most, options.AnswerTokens));

        // Without guessing ahead: what is guessed right depends on the text.
        var (engine, _) = model.OpenEngine(cells, most, SpeculationOptions.Off);
        await using var owned = engine.ConfigureAwait(false);
        using var weights = model.LoadWeights();
        using var raw = model.OpenContext(weights, cells, most, cancellationToken);
        var roof = Roofline.Of(file);
        var vocabulary = engine.Tokenizer.Size;

        next($"reading {options.PromptTokens} tokens");
        var prefill = await CompareAsync(
            BenchmarkModel.Batch,
            seed => Rates.PrefillAsync(engine, Prompt(seed), cancellationToken),
            seed => Rates.Prefill(raw, Prompt(seed), model.Time)).ConfigureAwait(false) with
        { Tokens = options.PromptTokens };
        var decode = new List<RateFigures>();
        foreach (var answers in options.Answers)
        {
            next(answers == 1 ? "writing one answer" : $"writing {answers} answers");
            decode.Add(await CompareAsync(
                answers,
                seed => Rates.DecodeAsync(engine, Rates.Prompts(answers, vocabulary, seed), options.AnswerTokens, cancellationToken),
                seed => Rates.Decode(raw, Rates.Prompts(answers, vocabulary, seed), options.AnswerTokens, model.Time)).ConfigureAwait(false));
        }

        return (prefill, decode, engine.Model.CanCut, vocabulary);

        int[] Prompt(int seed) => Rates.Prompts(1, vocabulary, seed, options.PromptTokens)[0];

        // The first repeat runs code for the first time and is not counted.
        async Task<RateFigures> CompareAsync(int tokens, Func<int, Task<double>> measure, Func<int, double> measureBare)
        {
            var (ours, bare) = (new List<double>(), new List<double>());
            var first = watch.Take();
            for (var repeat = 0; repeat <= options.Repeats; repeat++)
            {
                // Both are open, and neither shall pay for the other's threads.
                await Task.Delay(MachineProbe.Spinning, _time, cancellationToken).ConfigureAwait(false);
                ours.Add(await measure(repeat).ConfigureAwait(false));
                await Task.Delay(MachineProbe.Spinning, _time, cancellationToken).ConfigureAwait(false);
                bare.Add(measureBare(repeat));
            }

            watch.Take();
            ours.RemoveAt(0);
            bare.RemoveAt(0);
            var machine = watch.Readings.Skip(first);
            var limit = roof.TokensPerSecond(tokens, new MachineReading(machine.Max(r => r.ReadGigabytes), machine.Max(r => r.MultiplyGigaflops)));
            return new RateFigures(
                tokens,
                Ranked.Median(ours),
                Ranked.Median(bare),
                Ranked.Median(ours.Zip(bare, (a, b) => a / b)),
                Ranked.Median(ours) / limit,
                watch.DriftSince(first));
        }
    }
}
