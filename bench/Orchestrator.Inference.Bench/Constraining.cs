using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Bench;

/// <summary>
/// What a constraint costs for each token that is sampled under it, and what forced tokens save: a message of a protocol
/// against as many tokens decoded freely. One answer at a time, without guessing ahead.
/// </summary>
internal static class Constraining
{
    private const int Tokens = 64;
    private const string Text = """{"type":"object","properties":{"text":{"type":"string","minLength":40}},"required":["text"],"additionalProperties":false}""";
    private const string Bid = """
        {"type":"object","properties":{"performative":{"const":"propose"},"conversation":{"type":"integer","minimum":1,"maximum":999},
        "bidder":{"enum":["analyst","network","operations"]},"price":{"type":"integer","minimum":0,"maximum":100},
        "confidence":{"enum":["low","medium","high"]},"deadline_minutes":{"type":"integer","minimum":1,"maximum":60},
        "needs_approval":{"type":"boolean"}},
        "required":["performative","conversation","bidder","price","confidence","deadline_minutes","needs_approval"],"additionalProperties":false}
        """;

    public static async Task<int> RunAsync(BenchOptions options)
    {
        var driver = new CountingDriver(LlamaDriverLoader.Open(new LlamaDriverOptions
        {
            ModelPath = options.Model,
            ContextSize = 2048,
            MaxSequences = 4,
            Threads = options.Threads,
        }), TimeProvider.System, endless: false);
        await using var engine = new InferenceEngine(
            driver, new InferenceEngineOptions { AdaptThreads = false, Speculation = SpeculationOptions.Off });
        var compiler = new ConstraintCompiler(driver.Tokenizer);
        var text = compiler.Compile(new ConstraintDefinition.JsonSchema(Text, JsonConstraintOptions.Generation with { MaxStringLength = 4000 }));
        var bid = compiler.Compile(new ConstraintDefinition.JsonSchema(Bid));
        var prompt = engine.Tokenizer.Tokenize("The agents answer one after another. The next answer is:\n", parseSpecial: false);
        var (overhead, gain, forced, generated) = (new List<double>(), new List<double>(), 0, 0);
        for (var round = 0; round <= options.Repeats * 5; round++)
        {
            var free = await Run(engine, driver, prompt, null, Tokens, round);
            var held = await Run(engine, driver, prompt, text, Tokens, round);
            var message = await Run(engine, driver, prompt, bid, 200, round);
            var same = await Run(engine, driver, prompt, null, message.Tokens, round);
            if (round > 0)
            {
                // A step decodes one token in both; the forced ones, which share a step, are in neither.
                overhead.Add(held.Seconds / held.Steps / (free.Seconds / free.Steps));
                gain.Add(same.Seconds / same.Tokens * message.Tokens / message.Seconds);
                (forced, generated) = (forced + message.Forced, generated + message.Tokens);
            }
        }

        var report = new
        {
            options.Model,
            options.Threads,
            Vocabulary = engine.Tokenizer.Size,
            CostOfConstraint = Ranked.Median(overhead),
            GainOfForcing = Ranked.Median(gain),
            Forced = forced / (double)generated,
        };
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"vocabulary of {report.Vocabulary}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"time for each step under a constraint against free decoding: {report.CostOfConstraint:0.000} (least {overhead.Min():0.00}, most {overhead.Max():0.00})"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"as many tokens decoded freely against a protocol message: {report.GainOfForcing:0.00} ({report.Forced:P0} of its tokens forced)"));
        Console.WriteLine(JsonSerializer.Serialize(report, JsonSerializerOptions.Web));
        return 0;
    }

    private static async Task<(double Seconds, int Steps, int Tokens, int Forced)> Run(
        InferenceEngine engine, CountingDriver driver, int[] prompt, ITokenConstraint? constraint, int tokens, int seed)
    {
        var (steps, start, first) = (0, 0L, true);
        var (count, forced) = (0, 0);
        await foreach (var token in engine.GenerateAsync(new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = tokens,
            Constraint = constraint,
            Sampling = new SamplingOptions { Temperature = 1, Seed = (ulong)seed },
        }))
        {
            if (first)
            {
                // The prompt's own batch is behind us.
                (first, start, steps) = (false, Stopwatch.GetTimestamp(), driver.Decodes);
            }

            count++;
            forced += token.Forced ? 1 : 0;
        }

        return (Stopwatch.GetElapsedTime(start).TotalSeconds, Math.Max(1, driver.Decodes - steps), count, forced);
    }
}
