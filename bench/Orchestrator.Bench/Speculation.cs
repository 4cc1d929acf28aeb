using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Bench;

/// <summary>
/// What guessing ahead gains and costs: the same requests with and without, by turns, in one process. Prompts are in the
/// cache before, so that only the answers' time counts.
/// </summary>
internal static class Speculation
{
    private const int Repeats = 3;
    private const int AnswerTokens = 160;

    private const string Report = """
        On 3 March at 02:14 the payment service began to answer slowly. The on-call engineer, Mara Lind, saw that the
        connection pool of the ledger database was exhausted: all 40 connections were held by a nightly export that had
        been moved from 04:00 to 02:00 the day before. She stopped the export at 02:31, and latency was normal at 02:33.
        1,204 payments were delayed, none was lost. "We moved the job without looking at what else runs at that hour,"
        said Jonas Weir, who owns the export. The pool now keeps ten connections apart for payments.
        """;

    private const string Code = """
        public static int CountWords(string text)
        {
            var total = 0;
            var inside = false;
            foreach (var letter in text)
            {
                if (char.IsWhiteSpace(letter))
                {
                    inside = false;
                }
                else if (!inside)
                {
                    inside = true;
                    total++;
                }
            }

            return total;
        }
        """;

    private const string Records = """
        [{"id": 1, "name": "ledger", "owner": "Weir", "status": "ok", "latency_ms": 12},
         {"id": 2, "name": "payments", "owner": "Lind", "status": "slow", "latency_ms": 840},
         {"id": 3, "name": "mail", "owner": "Okafor", "status": "ok", "latency_ms": 31},
         {"id": 4, "name": "search", "owner": "Sato", "status": "ok", "latency_ms": 55}]
        """;

    private static readonly (string Name, bool Copies, string[] Prompts)[] Cases =
    [
        ("quotes", true,
        [
            $"Repeat this report word for word, in quotation marks.\n\n{Report}",
            $"Which sentences of this report say what happened at which time? Quote them exactly.\n\n{Report}",
            $"Quote the report from the second sentence on.\n\n{Report}",
            $"Summarise this report in sentences taken from it.\n\n{Report}",
        ]),
        ("code edits", true,
        [
            $"Rename the variable total to count, and write the whole method again.\n\n{Code}",
            $"Make this method private, and write it again.\n\n{Code}",
            $"Add a comment above the loop, and write the whole method again.\n\n{Code}",
            $"Write this method again as it is.\n\n{Code}",
        ]),
        ("json", true,
        [
            $"Set the status of payments to ok, and write the whole JSON again.\n\n{Records}",
            $"Write the JSON again as it is.\n\n{Records}",
            $"Write the JSON again, with the records in the reverse order.\n\n{Records}",
            $"Write the JSON again without the latencies.\n\n{Records}",
        ]),
        ("free", false,
        [
            "Tell a story about a lighthouse keeper who finds a letter.",
            "Explain how a bicycle stays upright.",
            "What should a traveller see in a small harbour town?",
            "Write a letter to a friend about a change of season.",
        ]),
    ];

    internal static async Task<int> RunAsync(string model, string? draft)
    {
        await using var off = Open(model, null, SpeculationOptions.Off);
        await using var on = Open(model, draft, new SpeculationOptions());
        var rows = new List<object>();
        Console.WriteLine("text         agents  temp   off tok/s   on tok/s   ratio   drafted  accepted  equal");
        foreach (var agents in new[] { 1, 4 })
        {
            foreach (var (name, copies, prompts) in Cases)
            {
                foreach (var temperature in copies ? [0f] : new[] { 0f, 0.8f })
                {
                    rows.Add(await CompareAsync(off, on, name, prompts, agents, temperature));
                }
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(new { benchmark = "speculation", model = Path.GetFileName(model), repeats = Repeats, rows }));
        return 0;
    }

    private static async Task<object> CompareAsync(
        InferenceEngine off, InferenceEngine on, string name, string[] prompts, int agents, float temperature)
    {
        var (without, with) = (new Tally(), new Tally());
        var (same, all) = (0, 0);
        for (var repeat = 0; repeat < Repeats; repeat++)
        {
            foreach (var group in prompts.Chunk(agents))
            {
                // By turns, and each side first as often as the other.
                var first = (repeat + all) % 2 == 0;
                var a = first ? await MeasureAsync(off, group, temperature, repeat, without) : [];
                var b = await MeasureAsync(on, group, temperature, repeat, with);
                a = first ? a : await MeasureAsync(off, group, temperature, repeat, without);
                same += a.Zip(b).Count(p => p.First.SequenceEqual(p.Second));
                all += group.Length;
            }
        }

        var (slow, fast) = (without.Tokens / without.Seconds, with.Tokens / with.Seconds);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-12} {agents,6} {temperature,5:0.0} {slow,11:0.0} {fast,10:0.0} {fast / slow,7:0.00} {with.Drafted,9} {with.Accepted,9} {same,3}/{all}"));
        return new
        {
            text = name,
            agents,
            temperature,
            off = slow,
            on = fast,
            ratio = fast / slow,
            drafted = with.Drafted,
            accepted = with.Accepted,
            tokens = with.Tokens,
            equal = same,
            answers = all,
        };
    }

    private static async Task<int[][]> MeasureAsync(InferenceEngine engine, string[] prompts, float temperature, int seed, Tally tally)
    {
        var requests = prompts.Select(p => new GenerationRequest
        {
            Prompt = engine.Tokenizer.Tokenize($"<|im_start|>user\n{p}<|im_end|>\n<|im_start|>assistant\n", parseSpecial: true),
            MaxTokens = AnswerTokens,
            Sampling = new SamplingOptions { Temperature = temperature, Seed = (ulong)seed },
        }).ToArray();
        await engine.ClearCacheAsync();
        await Task.WhenAll(requests.Select(r => GenerateAsync(engine, r with { MaxTokens = 1 })));
        var watch = Stopwatch.StartNew();
        var answers = await Task.WhenAll(requests.Select(r => GenerateAsync(engine, r)));
        tally.Seconds += watch.Elapsed.TotalSeconds;
        tally.Tokens += answers.Sum(a => a.Count);
        tally.Drafted += answers.Sum(a => a[^1].Cost!.DraftedTokens);
        tally.Accepted += answers.Sum(a => a[^1].Cost!.DraftTokens);
        return [.. answers.Select(a => a.Select(t => t.Token).ToArray())];
    }

    private static async Task<List<GeneratedToken>> GenerateAsync(InferenceEngine engine, GenerationRequest request)
    {
        var tokens = new List<GeneratedToken>();
        await foreach (var token in engine.GenerateAsync(request))
        {
            tokens.Add(token);
        }

        return tokens;
    }

    private static InferenceEngine Open(string model, string? draft, SpeculationOptions speculation) => new(
        OpenDriver(model),
        new InferenceEngineOptions { Speculation = speculation },
        draft: draft is null ? null : OpenDriver(draft));

    private static IModelDriver OpenDriver(string path) => LlamaDriverLoader.Open(
        new LlamaDriverOptions { ModelPath = path, ContextSize = 4096, BatchSize = 512, MaxSequences = 16 });

    private sealed class Tally
    {
        public double Seconds { get; set; }

        public int Tokens { get; set; }

        public int Drafted { get; set; }

        public int Accepted { get; set; }
    }
}
