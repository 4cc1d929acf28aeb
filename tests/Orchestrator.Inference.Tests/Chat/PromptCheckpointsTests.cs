using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Messages;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Chat;
using Orchestrator.Inference.Drivers;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Templates;
using Orchestrator.Testing.Drivers;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Chat;

/// <summary>What a model that must be told where to keep its state computes of conversations that a template lays out.</summary>
public class PromptCheckpointsTests
{
    private const string Strips =
        """
        {%- for m in messages %}<|im_start|>{{ m.role }}
        {{ m.content.split('</think>')[-1] }}<|im_end|>
        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
        <think>
        {% endif %}
        """;

    public static TheoryData<TinyArchitecture?, bool> Talks => new()
    {
        { null, true },
        { null, false },
        { TinyArchitecture.Recurrent, true },
        { TinyArchitecture.Recurrent, false },
        { TinyArchitecture.Hybrid, true },
        { TinyArchitecture.Hybrid, false },
        { TinyArchitecture.SlidingWindow, true },
        { TinyArchitecture.SlidingWindow, false },
    };

    [Theory]
    [MemberData(nameof(Talks))]
    public async Task A_team_computes_its_transcript_once(TinyArchitecture? architecture, bool atOnce)
    {
        const int Rounds = 4;
        await using var model = Open(architecture);
        var tokens = new PromptTokenizer(model.Engine.Tokenizer);
        using var schema = JsonDocument.Parse("""{"enum":["the log was full","the request was too long"]}""");
        var options = new ChatOptions { Temperature = 0, ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.RootElement) };

        // What both answers begin with is forced, and so is what follows the choice, which no pass computes.
        var forced = new TextSplitter(model.Engine.Tokenizer).Split("\"the "u8).Count;
        var transcript = Transcript.Begin("The team looks for what went wrong last night.");
        var history = new List<(int[] Prompt, int[] Answer)>();
        var (computed, asked) = (0, 0);
        for (var round = 0; round < Rounds; round++)
        {
            string[] speakers = ["ann", "bob", "cid", "dan"];
            foreach (var together in atOnce ? [speakers] : speakers.Select(s => new[] { s }))
            {
                var prompts = together.Select(s => transcript.ToPrompt(s, "What do you say?", round == 1 ? $"{s} was on duty." : null)).ToArray();
                var answers = await Task.WhenAll(prompts.Select(p => model.Chat.GetResponseAsync(p, options)));
                foreach (var (speaker, prompt, answer) in together.Zip(prompts, answers))
                {
                    var call = ModelCall.From(answer)!;
                    history.Add((tokens.Tokenize(model.Prompts.Render(prompt, [])), [.. call.TokenIds.Take(forced + 1)]));
                    computed += call.ComputedTokens;
                    asked += call.PromptTokens;
                    var said = new TeamMessage(speaker, answer.Text, TokenIds: call.AnswerTokenIds);
                    transcript = atOnce ? transcript.Add(said) : transcript.AddTurn("What do you say?", said);
                }
            }
        }

        // The bracket that all cues begin with is computed once more by the second of those who come one after another.
        var fresh = PrefixTrie.CountNew(history);
        Assert.InRange(computed, fresh, fresh + (atOnce ? Rounds : 0));
        Assert.True(computed < asked / 3, $"{computed} of {asked} tokens were computed.");
    }

    [Fact]
    public async Task Reasoning_that_a_template_cuts_out_costs_what_follows_it_and_no_more()
    {
        await using var model = LoadedModel.Create(
            new FakeDriver(new FakeDriverOptions { CanCut = false, EndLogit = -10, ChatTemplate = Strips }), new InferenceOptions(), TimeProvider.System);
        List<ChatMessage> messages = [new(ChatRole.System, "You look for what went wrong last night."), new(ChatRole.User, "What does the log say?")];
        var first = ModelCall.From(await model.Chat.GetResponseAsync(messages, new ChatOptions { MaxOutputTokens = 30 }))!;
        messages.AddRange([new(ChatRole.Assistant, "It was full."), new(ChatRole.User, "Why?")]);

        var second = ModelCall.From(await model.Chat.GetResponseAsync(messages, new ChatOptions { MaxOutputTokens = 2 }))!;

        var thought = model.Engine.Tokenizer.Tokenize("<think>\n", parseSpecial: true).Length;
        Assert.Equal(first.PromptTokens, first.ComputedTokens);
        Assert.Equal(first.PromptTokens - thought, second.ReusedTokens);
    }

    [Fact]
    public async Task A_question_put_otherwise_computes_the_question()
    {
        await using var model = Open(null);
        ChatMessage preamble = new(ChatRole.System, "You look for what went wrong last night.");
        await model.Chat.GetResponseAsync([preamble, new(ChatRole.User, "What does the log say?")], new ChatOptions { MaxOutputTokens = 2 });

        var again = ModelCall.From(await model.Chat.GetResponseAsync([preamble, new(ChatRole.User, "Is the log full?")], new ChatOptions { MaxOutputTokens = 2 }))!;

        var rest = model.Engine.Tokenizer.Tokenize("Is the log full?<|im_end|>\n<|im_start|>assistant\n", parseSpecial: true).Length;
        Assert.Equal(rest, again.ComputedTokens);
    }

    private static LoadedModel Open(TinyArchitecture? architecture) => LoadedModel.Create(
        architecture is { } known
            ? LlamaDriverLoader.Open(new LlamaDriverOptions { ModelPath = TinyModel.SharedPathOf(known), ContextSize = 4096, MaxSequences = 24, BatchSize = 64, Threads = 1 })
            : new FakeDriver(new FakeDriverOptions { CanCut = false, EndLogit = -10 }),
        new InferenceOptions { PromptLookup = false },
        TimeProvider.System);
}
