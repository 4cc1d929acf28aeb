using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Chat;

/// <summary>
/// Models of random weights in llama.cpp, whose vocabularies have the control tokens of each family: what they are made
/// to write is calls.
/// </summary>
public sealed class ControlTokenTests : IDisposable
{
    private const string Schema =
        """
        {"type":"object","properties":{"path":{"type":"string","maxLength":12},"line":{"type":"integer"},"mode":{"enum":["fast","\"slow\"","<|call|>[ARGS]"]},
        "range":{"type":"object","properties":{"from":{"type":"number"},"deep":{"type":"boolean"}},"required":["deep"],"additionalProperties":false},
        "tags":{"type":"array","items":{"type":"string","maxLength":6},"minItems":1,"maxItems":2}},"required":["path","mode","range","tags"],"additionalProperties":false}
        """;

    private static readonly AIFunctionDeclaration Read = AIFunctionFactory.CreateDeclaration("read_file", "Reads a file.", Json(Schema));
    private static readonly AIFunctionDeclaration List = AIFunctionFactory.CreateDeclaration("list", "Lists.", Json("""{"type":"object","properties":{}}"""));

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Families => [.. ControlTokenFamily.All.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Families))]
    public async Task A_required_call_is_made_of_the_familys_tokens_and_is_valid(string name)
    {
        var family = ControlTokenFamily.All[name];
        await using var model = Open(family);
        for (var seed = 0; seed < 6; seed++)
        {
            var several = seed >= 3;
            var response = await model.Chat.GetResponseAsync("x", new ChatOptions
            {
                Tools = [Read, List],
                ToolMode = seed % 2 == 0 ? ChatToolMode.RequireSpecific("read_file") : ChatToolMode.RequireAny,
                AllowMultipleToolCalls = several,
                Temperature = 1,
                Seed = seed,
                MaxOutputTokens = 400,
            });

            var calls = Calls(response);
            Assert.NotEmpty(calls);
            Assert.True(calls.Length == 1 || (family.Parallel && several), $"{calls.Length} calls");
            Assert.All(calls, AssertValid);
            Assert.Equal("", response.Text);
            Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
            var tokens = ModelCall.From(response)!.TokenIds;
            Assert.All(family.Called, text => Assert.Contains(Token(model, text), tokens));
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task A_free_answer_shows_no_tokens_and_calls_only_what_is_valid(string name)
    {
        var family = ControlTokenFamily.All[name];
        await using var model = Open(family);
        for (var seed = 0; seed < 4; seed++)
        {
            var response = await model.Chat.GetResponseAsync(
                "x", new ChatOptions { Tools = [Read, List], Temperature = 1, Seed = seed, MaxOutputTokens = 150 });

            Assert.All(Calls(response), AssertValid);
            Assert.All(family.Called, text => Assert.DoesNotContain(text, response.Text, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(ReasoningEffort.None)]
    [InlineData(null)]
    public async Task Harmony_writes_a_text_of_a_given_form_in_the_final_channel(ReasoningEffort? effort)
    {
        await using var model = Open(ControlTokenFamily.All["harmony"]);
        for (var seed = 0; seed < 4; seed++)
        {
            var response = await model.Chat.GetResponseAsync("x", new ChatOptions
            {
                ResponseFormat = ChatResponseFormat.ForJsonSchema(Json(Schema)),
                Reasoning = new ReasoningOptions { Effort = effort },
                Temperature = 1,
                Seed = seed,
                MaxOutputTokens = 300,
            });

            AssertMatches(Schema, response.Text);
            var tokens = ModelCall.From(response)!.TokenIds;
            int[] opening = model.Engine.Tokenizer.Tokenize("<|channel|>final<|message|>", parseSpecial: true);
            int[] analysis = model.Engine.Tokenizer.Tokenize("<|channel|>analysis<|message|>", parseSpecial: true);
            var begin = effort is null ? opening.Length + tokens.ToArray().AsSpan().IndexOf(opening) : opening.Length;
            Assert.Equal(opening, tokens.Take(begin).TakeLast(opening.Length));
            Assert.Equal(effort is null, tokens.Take(analysis.Length).SequenceEqual(analysis));
            Assert.Equal(effort is null, response.Messages.SelectMany(m => m.Contents).OfType<TextReasoningContent>().Any());
            Assert.InRange(begin, 1, 150 + (2 * opening.Length));
            Assert.Equal(Token(model, "<|return|>"), tokens[^1]);
            Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        }
    }

    /// <summary>However little room there is, and whether the model comes to an end of its reasoning or not.</summary>
    [Theory]
    [InlineData("harmony", null)]
    [InlineData("harmony", ReasoningEffort.None)]
    [InlineData("gemma4", ReasoningEffort.High)]
    [InlineData("qwen3coder", null)]
    [InlineData("qwen3coder", ReasoningEffort.None)]
    [InlineData("hermes", ReasoningEffort.Low)]
    public async Task A_required_call_is_valid_behind_reasoning_of_any_length(string name, ReasoningEffort? effort)
    {
        var family = ControlTokenFamily.All[name];
        await using var model = Open(family);
        foreach (var most in new[] { 200, 240, 280, 600 })
        {
            var response = await model.Chat.GetResponseAsync("x", new ChatOptions
            {
                Tools = [Read, List],
                ToolMode = ChatToolMode.RequireAny,
                Reasoning = new ReasoningOptions { Effort = effort },
                Temperature = 1,
                Seed = most,
                MaxOutputTokens = most,
            });

            AssertValid(Assert.Single(Calls(response)));
            Assert.Equal("", response.Text);
            Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
            Assert.InRange(ModelCall.From(response)!.TokenIds.Count, 1, most + 8);
            Assert.True(effort is not ReasoningEffort.None || response.Messages.SelectMany(m => m.Contents).All(c => c is not TextReasoningContent));
        }
    }

    [Fact]
    public async Task Harmony_puts_every_free_answer_into_messages()
    {
        await using var model = Open(ControlTokenFamily.All["harmony"]);
        var tokenizer = model.Engine.Tokenizer;
        var channel = Token(model, "<|channel|>");
        var message = Token(model, "<|message|>");
        for (var seed = 0; seed < 8; seed++)
        {
            var response = await model.Chat.GetResponseAsync("x", new ChatOptions { Temperature = 1, Seed = seed, MaxOutputTokens = 120 });
            var tokens = ModelCall.From(response)!.TokenIds.ToList();

            // Every header names a channel, and what is shown is what the messages hold.
            Assert.Equal(channel, tokens[0]);
            for (var at = 0; at < tokens.Count; at++)
            {
                if (tokens[at] == channel)
                {
                    var header = tokens[(at + 1)..tokens.IndexOf(message, at)].SelectMany(t => tokenizer.GetBytes(t).ToArray()).ToArray();
                    Assert.Contains(Encoding.UTF8.GetString(header), new[] { "analysis", "commentary", "final" });
                }
            }

            Assert.Equal(ChatFinishReason.Length == response.FinishReason, !tokenizer.IsEndOfGeneration(tokens[^1]));
        }
    }

    [Fact]
    public async Task A_constraint_spells_the_text_of_a_token_letter_by_letter()
    {
        await using var model = Open(ControlTokenFamily.All["harmony"]);
        var constraint = model.Constraints.Compile(new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Literal("a<|channel|>b<|call|>"), new ConstraintDefinition.Markup("c<|channel|>d<|call|>")));
        var tokens = new List<int>();
        await foreach (var token in model.Engine.GenerateAsync(
            new GenerationRequest { Prompt = [1], MaxTokens = 80, Constraint = constraint, Sampling = new SamplingOptions(), Origin = new ModelRequest() }, default))
        {
            tokens.Add(token.Token);
        }

        Assert.Equal([Token(model, "<|channel|>"), Token(model, "<|call|>")], tokens.Where(t => model.Engine.Tokenizer.GetSpecialText(t) is not null));
        Assert.Equal(Token(model, "<|call|>"), tokens[^1]);
    }

    private LoadedModel Open(ControlTokenFamily family)
    {
        var path = TinyModel.Create(
            _folder.File("model.gguf"), new TinyModelOptions { Vocabulary = 560, ControlTokens = family.Tokens, ChatTemplate = family.Template, Context = 4096 });
        return LoadedModel.Create(
            LlamaDriverLoader.Open(new LlamaDriverOptions { ModelPath = path, ContextSize = 4096, MaxSequences = 8, Threads = 1 }),
            new InferenceOptions(),
            TimeProvider.System);
    }

    private static int Token(LoadedModel model, string text) => Assert.Single(model.Engine.Tokenizer.Tokenize(text, parseSpecial: true));

    private static FunctionCallContent[] Calls(ChatResponse response) =>
        [.. response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>()];

    private static void AssertValid(FunctionCallContent call)
    {
        var schema = call.Name == "read_file" ? Schema : """{"type":"object","maxProperties":0}""";
        Assert.Contains(call.Name, new[] { "read_file", "list" });
        AssertMatches(schema, JsonSerializer.Serialize(call.Arguments));
    }

    private static void AssertMatches(string schema, string json)
    {
        var matcher = new ConstraintCompiler(new ByteVocabulary())
            .Compile(new ConstraintDefinition.JsonSchema(schema, JsonConstraintOptions.Validation)).Start();
        Assert.True(matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(json)) && matcher.CanEnd, json);
        Assert.NotNull(JsonNode.Parse(json));
    }

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}
