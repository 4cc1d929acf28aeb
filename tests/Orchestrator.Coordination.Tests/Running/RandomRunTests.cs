using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Agents.Prompts;
using Orchestrator.Bench;
using Orchestrator.Core.Models;
using Orchestrator.Core.Runs;
using Orchestrator.Inference.Hosting;
using Orchestrator.Testing.Models;

namespace Orchestrator.Coordination.Tests.Running;

/// <summary>Whole runs with models that know nothing, or that are broken.</summary>
public sealed class RandomRunTests : IDisposable
{
    private readonly PromptLibrary _prompts = TestPrompts.Shipped();
    private readonly string _folder = Directory.CreateTempSubdirectory("orchestrator-random-").FullName;

    public void Dispose()
    {
        _prompts.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Runs_with_a_model_that_writes_anything_under_the_schema_end_with_a_result()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            using var model = new RandomModel(seed, faults: 0);
            var outcome = await RandomRun.RunAsync(model, _prompts, Path.Combine(_folder, $"{seed}"), (ulong)seed);
            Assert.Empty(outcome.Unparsed);
            Assert.True(outcome.Messages > 0);
            Assert.True(outcome.Result.Reason == "completed", $"{seed}: {outcome.Result.Summary}");
            Assert.IsType<RunFinished>(outcome.Events[^1]);
        }
    }

    [Fact]
    public async Task Runs_with_a_model_that_fails_and_ignores_schemas_end_with_a_reason()
    {
        var reasons = new HashSet<string>();
        for (var seed = 0; seed < 60; seed++)
        {
            using var model = new RandomModel(seed, faults: seed % 10 / 10.0);
            var outcome = await RandomRun.RunAsync(model, _prompts, Path.Combine(_folder, $"{seed}"), (ulong)seed);
            reasons.Add(outcome.Result.Reason);
            Assert.Equal(outcome.Result.Reason, Assert.IsType<RunFinished>(outcome.Events[^1]).Reason);
            Assert.Single(outcome.Events.OfType<RunFinished>());
            Assert.NotEmpty(outcome.Result.Summary);
        }

        Assert.Equal(["completed", "failed"], reasons.Order());
    }

    [Fact]
    public async Task Runs_on_generated_models_of_random_weights_parse_and_end()
    {
        for (var seed = 0; seed < 4; seed++)
        {
            var path = TinyModel.Create(Path.Combine(_folder, $"{seed}.gguf"), new TinyModelOptions { Seed = seed + 1, Context = 8192 });
            await using var services = new ServiceCollection()
                .AddOrchestratorInference(o =>
                {
                    o.Model = path;
                    o.Threads = 1;
                })
                .BuildServiceProvider();
            var model = await services.GetRequiredService<ModelHost>().LoadAsync();
            var outcome = await RandomRun.RunAsync(model.Chat, _prompts, Path.Combine(_folder, $"{seed}"), (ulong)seed);
            Assert.Empty(outcome.Unparsed);
            Assert.Equal("completed", outcome.Result.Reason);
            Assert.True(outcome.Messages > 0);
            Assert.NotEmpty(outcome.Events.OfType<ChoiceMade>());
        }
    }

    /// <summary>Writes random text, random values of the schema that is asked for, or, as often as told, something wrong.</summary>
    private sealed class RandomModel(int seed, double faults) : IChatClient, IChoiceScorer
    {
        private readonly Random _random = new(seed);
        private readonly Lock _lock = new();

        public Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            lock (_lock)
            {
                if (_random.NextDouble() < faults)
                {
                    return _random.Next(3) switch
                    {
                        0 => throw new InvalidOperationException("the model is broken"),
                        1 => Task.FromResult(new ChatResponse([])),
                        _ => Says(Text(60)),
                    };
                }

                if (options?.ToolMode is RequiredChatToolMode { RequiredFunctionName: { } tool })
                {
                    return Task.FromResult(new ChatResponse(new ChatMessage(
                        ChatRole.Assistant,
                        [new FunctionCallContent($"c{_random.Next()}", tool, new Dictionary<string, object?> { ["service"] = Text(5) })])));
                }

                return options?.ResponseFormat is ChatResponseFormatJson { Schema: { } schema } ? Says(Value(schema)) : Says(Text(100));
            }
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
            IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default)
        {
            lock (_lock)
            {
                return _random.NextDouble() < faults / 4
                    ? throw new InvalidOperationException("the scorer is broken")
                    : Task.FromResult<IReadOnlyList<ChoiceResult>>([.. questions.Select(q => ChoiceQuestions.Normalise(
                        q, [.. q.Options.Select(_ => -20 * _random.NextDouble())], ChoiceMethod.Channel))]);
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

        public void Dispose()
        {
        }

        private static Task<ChatResponse> Says(string text) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, text)));

        private string Text(int length)
        {
            var text = new StringBuilder();
            for (var i = 0; i < length; i++)
            {
                text.Append((char)(_random.Next(4) == 0 ? _random.Next(1, 0x2000) : _random.Next(' ', '~')));
            }

            return text.ToString();
        }

        /// <summary>A value of a schema made of the keywords that runs use.</summary>
        private string Value(JsonElement schema)
        {
            if (schema.TryGetProperty("enum", out var values))
            {
                return values[_random.Next(values.GetArrayLength())].GetRawText();
            }

            switch (schema.GetProperty("type").GetString())
            {
                case "object":
                    return $"{{{string.Join(',', schema.GetProperty("properties").EnumerateObject().Select(p => $"{JsonSerializer.Serialize(p.Name)}:{Value(p.Value)}"))}}}";
                case "array":
                    var least = schema.TryGetProperty("minItems", out var min) ? min.GetInt32() : 0;
                    var count = _random.Next(least, schema.GetProperty("maxItems").GetInt32() + 1);
                    return $"[{string.Join(',', Enumerable.Range(0, count).Select(_ => Value(schema.GetProperty("items"))))}]";
                case "integer":
                    return $"{_random.Next(schema.GetProperty("minimum").GetInt32(), schema.GetProperty("maximum").GetInt32() + 1)}";
                default:
                    return JsonSerializer.Serialize(Text(_random.Next(schema.GetProperty("minLength").GetInt32(), schema.GetProperty("maxLength").GetInt32() + 1)));
            }
        }
    }
}
