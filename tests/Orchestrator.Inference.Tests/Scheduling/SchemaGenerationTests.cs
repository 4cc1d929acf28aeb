using System.Text;
using System.Text.Json.Nodes;
using FsCheck.Xunit;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;
using static Orchestrator.Inference.Tests.Scheduling.EngineHarness;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>A model that says anything still gives whole JSON, within its budget, under load.</summary>
public class SchemaGenerationTests
{
    private const string Schema =
        """
        {
          "type": "object",
          "properties": {
            "name": { "type": "string", "maxLength": 40 },
            "bid": { "type": "integer", "minimum": 0, "maximum": 9999 },
            "tags": { "type": "array", "items": { "enum": ["true", "answer", "other"] }, "maxItems": 5 },
            "note": { "type": ["string", "null"] }
          },
          "required": ["name", "bid", "tags", "note"],
          "additionalProperties": false
        }
        """;

    [Property(MaxTest = 3, Replay = "5,7")]
    public void Every_answer_parses(int seed) => CheckAsync(seed).GetAwaiter().GetResult();

    private static async Task CheckAsync(int seed)
    {
        var random = new Random(seed);
        await using var harness = new EngineHarness(new FakeDriverOptions { ContextSize = 512, MaxSequences = 8, BatchSize = 24 });
        var constraint = new ConstraintCompiler(harness.Engine.Tokenizer).Compile(new ConstraintDefinition.JsonSchema(Schema));
        var answers = Enumerable.Range(0, 6).Select(i => harness.Generate(new GenerationRequest
        {
            Prompt = Text($"Bid for task {i}: "),
            MaxTokens = random.Next(60, 200),
            Sampling = new SamplingOptions { Temperature = random.Next(2) * 1.5f, Seed = (ulong)random.Next() },
            Constraint = constraint,
        })).ToArray();

        foreach (var answer in await Task.WhenAll(answers))
        {
            var text = Encoding.UTF8.GetString([.. answer.SelectMany(t => harness.Engine.Tokenizer.GetBytes(t.Token).ToArray())]);
            var value = JsonNode.Parse(text)!.AsObject();
            Assert.Equal(["name", "bid", "tags", "note"], value.Select(p => p.Key));
            Assert.InRange(value["bid"]!.GetValue<int>(), 0, 9999);
            Assert.Equal(StopReason.EndOfAnswer, answer[^1].Stop);
        }

        await harness.AssertClean();
    }
}
