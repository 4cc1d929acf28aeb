using System.Text;
using System.Text.Json;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Chat;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Inference.Tests.Chat;

public class ArgumentReaderTests
{
    private const string Share = """
        {"properties":{"dividend":{"type":"number"},"price":{"type":"number"}},"required":["dividend","price"]}
        """;

    [Fact]
    public async Task Values_change_places_where_the_whole_is_likelier()
    {
        // One by one the first is taken; of the whole, the right one is likelier.
        var text = await ReadAsync(
            Share, "It costs 80 dollars and pays 3.2.", text => text is """{"dividend": 3.2, "price": 80}""" or " 80," ? 0 : -1);
        Assert.Equal("""{"dividend": 3.2, "price": 80}""", text);
    }

    [Fact]
    public async Task Values_stay_where_nothing_is_likelier() =>
        Assert.Equal(
            """{"dividend": 80, "price": 3.2}""",
            await ReadAsync(Share, "It costs 80 dollars and pays 3.2.", text => text is " 80," ? 0 : -1));

    [Fact]
    public async Task A_whole_number_changes_places_with_no_other()
    {
        const string Schema = """
            {"properties":{"amount":{"type":"number"},"count":{"type":"integer"}},"required":["amount","count"]}
            """;
        var asked = new List<string>();
        var text = await ReadAsync(Schema, "Take 2.5 of it 3 times.", text =>
        {
            asked.Add(text);
            return text is " 2.5," ? 0 : -1;
        });
        Assert.Equal("""{"amount": 2.5, "count": 3}""", text);
        Assert.DoesNotContain(asked, a => a.Contains("\"count\": 2.5", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"type":"string","description":"In the format YYYY-MM-DD."}""", "Is it late on 2024-10-22?", "\"2024-10-22\"")]
    [InlineData("""{"type":"string","description":"In the format YYYY-MM-DD."}""", "Is it late?", null)]
    [InlineData("""{"type":"boolean"}""", "How will it be, with delay?", "true")]
    [InlineData("""{"type":"boolean"}""", "Include all.", null)]
    [InlineData("""{"type":"integer"}""", "Flight 7 please.", "7")]
    [InlineData("""{"type":"integer"}""", "A flight please.", null)]
    public async Task An_optional_parameter_is_read_where_the_request_speaks_of_it(string parameter, string request, string? value) =>
        Assert.Equal(
            value is null ? "{}" : $$"""{"include_delay": {{value}}}""",
            await ReadAsync($$$"""{"properties":{"include_delay":{{{parameter}}}}}""", request, text => text.StartsWith(" false", StringComparison.Ordinal) ? -1 : 0));

    [Fact]
    public async Task The_numbers_of_a_list_are_taken()
    {
        const string Schema = """
            {"properties":{"x":{"type":"array","items":{"type":"integer"}},"at":{"type":"integer"}},"required":["x"]}
            """;
        Assert.Equal(
            """{"x": [10, 4], "at": 40}""",
            await ReadAsync(Schema, "A line through 10 and 4, at 40.", text => text.StartsWith(" [10, 4]", StringComparison.Ordinal) ? 0 : -text.Length));
    }

    [Fact]
    public async Task The_name_of_a_parameter_is_no_value_of_it()
    {
        const string Schema = """
            {"properties":{"bank_account":{"type":"string"}},"required":["bank_account"]}
            """;
        Assert.Equal(
            """{"bank_account": "savings"}""",
            await ReadAsync(Schema, "bank account savings", text => text is " \"bank account\"}" ? 0 : text is " \"savings\"}" ? -1 : -2));
    }

    private static async Task<string?> ReadAsync(string schema, string request, Func<string, double> score)
    {
        await using var engine = new ScriptedEngine(score);
        return await new ArgumentReader(engine).ReadAsync(
            engine.Tokenizer.Tokenize("Call: ", parseSpecial: false), JsonDocument.Parse(schema).RootElement, request, new ModelRequest(), CancellationToken.None);
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
