using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Hosting;

namespace Orchestrator.Inference.Bench;

/// <summary>
/// A decision among 8 described options: by likelihood, and by a JSON answer that is written freely and then parsed. For
/// all of them the transcript and what stands in front of the options are in the cache; for those that decide after the
/// request, which is the transcript's end then, the request too.
/// </summary>
internal static class Decisions
{
    private const int Options = 8;
    private const int AnswerTokens = 40;
    private const string Lead = "The person at the terminal has just written this to the team, and one function has to be called for it: ";

    private static readonly ChatMessage[] Transcript =
    [
        .. Enumerable.Range(1, 12).SelectMany(i => new ChatMessage[]
        {
            new(ChatRole.User, $"Report {i}: the service was restarted at 10:{i:00}, and since then {i * 7} requests have waited for the store."),
            new(ChatRole.Assistant, $"Noted as item {i}. I will compare it with what the other services wrote in that minute."),
        }),
    ];

    public static async Task<int> RunAsync(BenchOptions options)
    {
        // The driver knows no end of an answer, so that each JSON answer has its 40 tokens. Nothing is guessed ahead, as in the
        // frameworks that it stands for; a model with random weights, which repeats itself, would gain by it beyond measure.
        var driver = new CountingDriver(LlamaDriverLoader.Open(new LlamaDriverOptions
        {
            ModelPath = options.Model,
            ContextSize = 8192,
            MaxSequences = 64,
            Threads = options.Threads,
        }), TimeProvider.System);
        await using var model = LoadedModel.Create(driver, new InferenceOptions { PromptLookup = false }, TimeProvider.System);
        var (tools, requests) = Read();
        Contender[] contenders =
        [
            new("JSON answer, parsed", request => AnswerAsync(model.Chat, tools, request, AnswerTokens), request => AnswerAsync(model.Chat, tools, request, 1)),
            Scored(model, "direct", Direct, tools, warmAll: true),
            Scored(model, "direct, calibrated", (t, r) => Direct(t, r) with { Method = ChoiceMethod.Calibrated }, tools, warmAll: true),
            Scored(model, "channel", Channel, tools, warmAll: false),
            Scored(model, "names, then channel", (t, r) => ToolQuestions.Which(r, t), tools, warmAll: true),
            Scored(model, "channel, calibrated", (t, r) => Channel(t, r) with { Method = ChoiceMethod.CalibratedChannel }, tools, warmAll: false),
        ];
        var seconds = contenders.ToDictionary(c => c, _ => new List<double>());
        var library = contenders.ToDictionary(c => c, _ => new List<double>());
        var right = contenders.ToDictionary(c => c, _ => 0);
        var tokens = contenders.ToDictionary(c => c, _ => 0);
        var steps = contenders.ToDictionary(c => c, _ => 0);
        foreach (var contender in contenders)
        {
            await contender.Decide(Lead + "Where are you?");
        }

        for (var i = 0; i < requests.Count; i++)
        {
            var (text, tool) = requests[i];
            for (var turn = 0; turn < contenders.Length; turn++)
            {
                var contender = contenders[(i + turn) % contenders.Length];
                await contender.Warm(Lead + text);
                var (before, inLibrary) = (driver.Decodes, driver.Decoding);
                var start = Stopwatch.GetTimestamp();
                var (chosen, computed) = await contender.Decide(Lead + text);
                seconds[contender].Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                right[contender] += chosen == tool ? 1 : 0;
                tokens[contender] += computed;
                steps[contender] += driver.Decodes - before;
                library[contender].Add((driver.Decoding - inLibrary).TotalSeconds);
            }
        }

        var evidence = requests.Average(r => model.Engine.Tokenizer.Tokenize(Lead + r.Text, false).Length);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{requests.Count} requests of {evidence:0} tokens on average, {Options} options"));
        Console.WriteLine("| decided by          | median ms | in the library | times as fast as JSON | tokens | batches | right |");
        Console.WriteLine("|---------------------|----------:|---------------:|----------------------:|-------:|--------:|------:|");
        var json = seconds[contenders[0]];
        var report = contenders.Select(c => new
        {
            c.Name,
            Milliseconds = Ranked.Median(seconds[c]) * 1000,
            Library = Ranked.Median(library[c]) * 1000,
            Faster = Ranked.Median(json.Zip(seconds[c], (a, b) => a / b)),
            Tokens = tokens[c] / (double)requests.Count,
            Batches = steps[c] / (double)requests.Count,
            Right = right[c] / (double)requests.Count,
        }).ToList();
        foreach (var line in report)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {line.Name,-19} | {line.Milliseconds,9:0.0} | {line.Library,14:0.0} | {line.Faster,21:0.00} | {line.Tokens,6:0} | {line.Batches,7:0.0} | {line.Right,5:P0} |"));
        }

        Console.WriteLine(JsonSerializer.Serialize(new { options.Model, options.Threads, Decisions = report }, JsonSerializerOptions.Web));
        return 0;
    }

    private static ChoiceQuestion Direct(Choice[] tools, string request) => new()
    {
        Context = Transcript,
        Evidence = request,
        Options = tools,
        DirectCue = "\nFunction: ",
        Method = ChoiceMethod.Direct,
    };

    private static ChoiceQuestion Channel(Choice[] tools, string request) =>
        ToolQuestions.Which(request, tools) with { Method = ChoiceMethod.Channel };

    /// <param name="model">The model.</param>
    /// <param name="name">The contender's name.</param>
    /// <param name="ask">The question about a request.</param>
    /// <param name="tools">The options.</param>
    /// <param name="warmAll">Whether the request is in the cache, too; the options behind it are not.</param>
    private static Contender Scored(
        LoadedModel model, string name, Func<Choice[], string, ChoiceQuestion> ask, Choice[] tools, bool warmAll) => new(
        name,
        async request =>
        {
            var result = await model.Scorer.ScoreAsync(ask(tools, request));
            return (result.Best.Choice.Name, result.ComputedTokens);
        },
        async request =>
        {
            if (warmAll)
            {
                await model.Scorer.ScoreAsync(ask([new Choice("~", "~"), new Choice("^", "^")], request));
            }
        });

    private static async Task<(string? Chosen, int Tokens)> AnswerAsync(IChatClient chat, Choice[] tools, string request, int most)
    {
        var list = string.Join('\n', tools.Select(t => $"- {t.Name}: {t.Description}"));
        ChatMessage[] messages =
        [
            new(ChatRole.System, $"Choose the function for the last message. Functions:\n{list}\nAnswer in JSON: {{\"reason\": \"...\", \"function\": \"...\"}}"),
            .. Transcript,
            new(ChatRole.User, request),
        ];
        var response = await chat.GetResponseAsync(messages, new ChatOptions { MaxOutputTokens = most, Temperature = 0 });
        return (Parse(response.Text, tools), (int)(response.Usage?.OutputTokenCount ?? 0));
    }

    /// <summary>The function that an answer names, read as kindly as can be: the last name of an option in it.</summary>
    private static string? Parse(string text, Choice[] tools) => tools
        .Select(t => (t.Name, At: text.LastIndexOf(t.Name, StringComparison.OrdinalIgnoreCase)))
        .Where(t => t.At >= 0).OrderByDescending(t => t.At).Select(t => t.Name).FirstOrDefault();

    private static (Choice[] Tools, List<(string Text, string Tool)> Requests) Read()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "tool-requests.json")));
        var tools = file.RootElement.GetProperty("tools").EnumerateObject().Take(Options).Select(t => new Choice(t.Name, t.Value.GetString())).ToArray();
        var names = tools.Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        return (tools, [.. file.RootElement.GetProperty("requests").EnumerateArray()
            .Where(r => r[1].ValueKind == JsonValueKind.String && names.Contains(r[1].GetString()!))
            .Select(r => (r[0].GetString()!, r[1].GetString()!))]);
    }

    /// <param name="Name">Its name.</param>
    /// <param name="Decide">Decides about a request: the option, and the tokens computed for it.</param>
    /// <param name="Warm">Puts into the cache what shall be there.</param>
    private sealed record Contender(
        string Name, Func<string, Task<(string? Chosen, int Tokens)>> Decide, Func<string, Task> Warm);
}
