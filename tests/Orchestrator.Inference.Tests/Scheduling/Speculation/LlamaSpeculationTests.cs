using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Scheduling.Speculation;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Scheduling.Speculation;

/// <summary>
/// On llama.cpp a batch of several tokens may round otherwise than tokens one by one. So answers are equal up to the
/// first step whose two best tokens are closer than that.
/// </summary>
public class LlamaSpeculationTests
{
    [Fact]
    public async Task A_generated_model_answers_the_same() => await CompareAsync(TinyModel.SharedPath, 0.01f, 512, draft: false);

    [Fact]
    public async Task A_generated_model_answers_the_same_with_a_draft_model() => await CompareAsync(TinyModel.SharedPath, 0.01f, 512, draft: true);

    [SkippableFact]
    public async Task A_real_model_answers_the_same()
    {
        Skip.If(TestModels.Real is null, "ORCHESTRATOR_TEST_MODEL names no model.");
        await CompareAsync(TestModels.Real!, 0.3f, 1024, draft: false);
    }

    private static async Task CompareAsync(string path, float epsilon, int context, bool draft)
    {
        var options = new LlamaDriverOptions { ModelPath = path, ContextSize = context, BatchSize = 64, MaxSequences = 8, Threads = 1 };
        await using var plain = new InferenceEngine(
            LlamaDriverLoader.Open(options), new InferenceEngineOptions { Speculation = SpeculationOptions.Off });
        await using var speculating = new InferenceEngine(
            LlamaDriverLoader.Open(options),
            new InferenceEngineOptions { Speculation = new SpeculationOptions { MaxDraftTokens = 12, StepTime = _ => 1 } },
            draft: draft ? LlamaDriverLoader.Open(options) : null);
        string[] prompts =
        [
            "one two three four five six seven one two three four five",
            "Repeat: the quick brown fox jumps over the lazy dog. The quick brown fox",
            "{\"id\": 1, \"name\": \"ann\"}, {\"id\": 2, \"name\": \"bob\"}, {\"id\": 3,",
        ];
        var requests = prompts.Select(p => new GenerationRequest
        {
            Prompt = plain.Tokenizer.Tokenize(p, parseSpecial: false),
            MaxTokens = 60,
            Sampling = new SamplingOptions { Temperature = 0, TopLogProbabilities = 2 },
        }).ToArray();

        var expected = await Task.WhenAll(requests.Select(r => TakeAsync(plain, r)));
        var actual = await Task.WhenAll(requests.Select(r => TakeAsync(speculating, r)));

        var compared = 0;
        foreach (var (a, b) in expected.Zip(actual))
        {
            foreach (var (x, y) in a.Zip(b))
            {
                if (x.Alternatives![0].LogProbability - x.Alternatives[1].LogProbability < epsilon)
                {
                    break;
                }

                Assert.Equal(x.Token, y.Token);
                compared++;
            }
        }

        Assert.True(compared > 60, $"Only {compared} tokens could be compared.");
        Assert.True(actual.Sum(a => a[^1].Cost!.DraftedTokens) > 8);
        Assert.Empty(await speculating.AuditAsync());
    }

    private static async Task<List<GeneratedToken>> TakeAsync(InferenceEngine engine, GenerationRequest request)
    {
        var tokens = new List<GeneratedToken>();
        await foreach (var token in engine.GenerateAsync(request))
        {
            tokens.Add(token);
        }

        return tokens;
    }
}
