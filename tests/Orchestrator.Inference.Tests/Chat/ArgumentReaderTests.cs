using System.Text;
using System.Text.Json;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Chat;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Templates.ToolCalls;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Inference.Tests.Chat;

public class ArgumentReaderTests
{
    [Theory]
    [InlineData("""{"type":"string","description":"In the format YYYY-MM-DD."}""", "Is it late on 2024-10-22?", "\"2024-10-22\"")]
    [InlineData("""{"type":"string","description":"In the format YYYY-MM-DD."}""", "Is it late?", null)]
    [InlineData("""{"type":"boolean"}""", "How will it be, with delay?", "true")]
    [InlineData("""{"type":"boolean"}""", "Include all.", null)]
    [InlineData("""{"type":"integer"}""", "Flight 7 please.", "7")]
    [InlineData("""{"type":"integer"}""", "A flight please.", null)]
    public async Task An_optional_parameter_is_read_where_the_request_speaks_of_it(string parameter, string request, string? value) =>
        Assert.Equal(
            value is null ? "{}" : $$"""{"include_delay":{{value}}}""",
            await ReadAsync($$$"""{"properties":{"include_delay":{{{parameter}}}}}""", request, text => text.StartsWith(" false", StringComparison.Ordinal) ? -1 : 0));

    [Fact]
    public async Task The_numbers_of_a_list_are_taken()
    {
        const string Schema = """
            {"properties":{"x":{"type":"array","items":{"type":"integer"}},"at":{"type":"integer"}},"required":["x"]}
            """;
        Assert.Equal(
            """{"x":[10,4],"at":40}""",
            await ReadAsync(Schema, "A line through 10 and 4, at 40.", text => text.StartsWith(" [10,4]", StringComparison.Ordinal) ? 0 : -text.Length));
    }

    [Fact]
    public async Task The_name_of_a_parameter_is_no_value_of_it()
    {
        const string Schema = """
            {"properties":{"bank_account":{"type":"string"}},"required":["bank_account"]}
            """;
        Assert.Equal(
            """{"bank_account":"savings"}""",
            await ReadAsync(Schema, "bank account savings", text => text is " \"bank account\"}" ? 0 : text is " \"savings\"}" ? -1 : -2));
    }

    [Fact]
    public async Task Values_are_weighed_as_the_family_writes_them()
    {
        const string Schema = """
            {"properties":{"title":{"type":"string"},"count":{"type":"integer"}},"required":["title","count"]}
            """;
        var weighed = new List<string>();
        var read = await ReadAsync(
            Schema,
            "Print \"two birds\" 3 or 4 times.",
            text =>
            {
                weighed.Add(text);
                return text is "two birds\n</parameter>\n" or "4\n</parameter>\n</function>" ? 0 : -text.Length;
            },
            new Qwen3CoderToolCallFormat());
        Assert.Equal("""{"title":"two birds","count":4}""", read);
        Assert.DoesNotContain(weighed, text => text.StartsWith('"') || text.StartsWith(' '));
    }

    private static async Task<string?> ReadAsync(string schema, string request, Func<string, double> score, IToolCallFormat? format = null)
    {
        await using var engine = new ScriptedEngine(score);
        var arguments = await new ArgumentReader(engine, format ?? new HermesToolCallFormat()).ReadAsync(
            engine.Tokenizer.Tokenize("Call: ", parseSpecial: false), JsonDocument.Parse(schema).RootElement, request, new ModelRequest(), CancellationToken.None);
        return arguments is null ? null : JsonSerializer.Serialize(arguments);
    }

    /// <summary>Scores by a function of the text that is scored.</summary>
    private sealed class ScriptedEngine(Func<string, double> score) : IInferenceEngine
    {
        public ITokenizer Tokenizer { get; } = new FakeTokenizer([]);

        public DriverInfo Model => throw new NotSupportedException();

        public Task<ScoreResult> ScoreAsync(ScoreRequest request, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ScoreResult([.. request.Sequences.Select(s => new[] { (float)score(Text(s.Continuation)) })], 0, 0));

        public IAsyncEnumerable<GeneratedToken> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task<IReadOnlyList<float[]>> EmbedAsync(IReadOnlyList<int[]> inputs, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task RemoveAdapterAsync(string name, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public EngineStatistics GetStatistics() => throw new NotSupportedException();

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static string Text(IEnumerable<int> tokens) => Encoding.UTF8.GetString([.. tokens.Select(t => (byte)t)]);
    }
}
