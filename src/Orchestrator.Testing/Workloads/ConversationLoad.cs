using System.Text;
using System.Text.Json;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Testing.Workloads;

/// <summary>How many talk, and about how much.</summary>
public sealed record ConversationLoadOptions
{
    /// <summary>Conversations at any time; at least 1.</summary>
    public int Conversations { get; init; } = 64;

    /// <summary>Turns of each of them, new conversations taking the place of those that are full; null until cancelled.</summary>
    public int? Turns { get; init; }

    /// <summary>The tokens at which a conversation ends and another begins in its place; at least 64.</summary>
    public int MaxLength { get; init; } = 400;

    /// <summary>The most tokens of an answer; at least 1.</summary>
    public int MaxAnswer { get; init; } = 32;

    /// <summary>Adapters that requests may name, one at a time; most requests name none.</summary>
    public IReadOnlyList<string> Adapters { get; init; } = [];

    /// <summary>Same seed, same requests, in whatever order they are served.</summary>
    public int Seed { get; init; } = 1;
}

/// <summary>What a load has done.</summary>
/// <param name="Turns">Turns that ended, cancelled ones included.</param>
/// <param name="Cancelled">Answers that were cancelled half way.</param>
/// <param name="Choices">Turns that were decisions.</param>
/// <param name="Messages">Answers under a JSON schema.</param>
/// <param name="Malformed">Those of them that are not JSON; none, unless something is wrong.</param>
public sealed record ConversationLoadResult(long Turns, long Cancelled, long Choices, long Messages, long Malformed);

/// <summary>
/// What a busy engine sees: many conversations with a few common preambles, each taking turns that answer freely,
/// answer under a schema, decide by likelihood, or are cancelled half way.
/// </summary>
/// <param name="engine">The engine; it goes on to belong to the caller.</param>
/// <param name="options">How many talk; null for the defaults.</param>
public sealed class ConversationLoad(IInferenceEngine engine, ConversationLoadOptions? options = null)
{
    private const int Preambles = 8;
    private const string Bid =
        """
        {"type":"object","properties":{"task":{"enum":["search","write","review"]},"cost":{"type":"integer","minimum":0,"maximum":999}},
         "required":["task","cost"],"additionalProperties":false}
        """;

    private readonly ConversationLoadOptions _options = options ?? new ConversationLoadOptions();
    private readonly ITokenConstraint _bid = new ConstraintCompiler(engine.Tokenizer).Compile(new ConstraintDefinition.JsonSchema(Bid));
    private long _turns, _cancelled, _choices, _messages, _malformed;

    /// <summary>What was done so far.</summary>
    public ConversationLoadResult Result => new(
        Interlocked.Read(ref _turns),
        Interlocked.Read(ref _cancelled),
        Interlocked.Read(ref _choices),
        Interlocked.Read(ref _messages),
        Interlocked.Read(ref _malformed));

    /// <summary>Lets them talk.</summary>
    /// <param name="cancellationToken">Ends the load after the turns at work; this is no error.</param>
    /// <returns>What was done.</returns>
    public async Task<ConversationLoadResult> RunAsync(CancellationToken cancellationToken = default)
    {
        await Task.WhenAll(Enumerable.Range(0, _options.Conversations).Select(i => Task.Run(
            () => TalkAsync(new Random(unchecked((_options.Seed * 1_000_003) + i)), cancellationToken), CancellationToken.None))).ConfigureAwait(false);
        return Result;
    }

    private async Task TalkAsync(Random random, CancellationToken cancellationToken)
    {
        List<int> said = [];
        for (var turn = 0; turn != _options.Turns && !cancellationToken.IsCancellationRequested; turn++)
        {
            if (said.Count == 0 || said.Count > _options.MaxLength)
            {
                said = [.. Words($"Team {random.Next(Preambles)} works on one model. Each of its agents sees what the others said.")];
            }

            said.AddRange(Words($"\nagent {random.Next(100)}: what about number {random.Next(1000)}?"));
            await TurnAsync(said, random).ConfigureAwait(false);
            Interlocked.Increment(ref _turns);
        }
    }

    private async Task TurnAsync(List<int> said, Random random)
    {
        var origin = new ModelRequest
        {
            Priority = random.Next(-1, 2),
            Adapters = _options.Adapters.Count > 0 && random.Next(4) == 0 ? [new AdapterUse(_options.Adapters[random.Next(_options.Adapters.Count)])] : [],
        };
        var request = new GenerationRequest
        {
            Prompt = [.. said],
            MaxTokens = random.Next(1, _options.MaxAnswer + 1),
            Checkpoints = [said.Count],
            Sampling = new SamplingOptions { Temperature = random.Next(2), Seed = (ulong)random.Next() },
            Origin = origin,
        };
        switch (random.Next(8))
        {
            case 0:
                await CancelledAsync(request, random.Next(8)).ConfigureAwait(false);
                break;
            case 1:
                await engine.ScoreAsync(new ScoreRequest
                {
                    Sequences = [.. Enumerable.Range(0, 6).Select(i => new ScoreSequence([.. said], Words($" agent {i} speaks next")))],
                    Origin = origin,
                }).ConfigureAwait(false);
                Interlocked.Increment(ref _choices);
                break;
            case 2:
                var message = await AnswerAsync(request with { Constraint = _bid, MaxTokens = 64 }).ConfigureAwait(false);
                Interlocked.Increment(ref _messages);
                if (!IsJson(message))
                {
                    Interlocked.Increment(ref _malformed);
                }

                said.AddRange(message);
                break;
            default:
                said.AddRange(await AnswerAsync(request).ConfigureAwait(false));
                break;
        }
    }

    private async Task<List<int>> AnswerAsync(GenerationRequest request)
    {
        var answer = new List<int>();
        await foreach (var token in engine.GenerateAsync(request).ConfigureAwait(false))
        {
            if (!engine.Tokenizer.IsEndOfGeneration(token.Token))
            {
                answer.Add(token.Token);
            }
        }

        return answer;
    }

    private async Task CancelledAsync(GenerationRequest request, int after)
    {
        using var cancel = new CancellationTokenSource();
        try
        {
            await foreach (var _ in engine.GenerateAsync(request, cancel.Token).ConfigureAwait(false))
            {
                if (after-- == 0)
                {
                    await cancel.CancelAsync().ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
        }
    }

    private int[] Words(string text) => [.. engine.Tokenizer.Tokenize(text, parseSpecial: false)];

    private bool IsJson(List<int> tokens)
    {
        try
        {
            using var document = JsonDocument.Parse(
                Encoding.UTF8.GetString([.. tokens.SelectMany(t => engine.Tokenizer.GetBytes(t).ToArray())]));
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
