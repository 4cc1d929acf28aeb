using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Scheduling;
using Orchestrator.Inference.Tests.Scheduling;
using Orchestrator.Testing.Conformance;

namespace Orchestrator.Inference.Tests.Deciding;

public class ChoiceScorerTests
{
    private static readonly Choice[] Options =
        [new("log_search", "Finds lines in logs."), new("calculator", "Computes numbers."), new("clock", "Tells the time.")];

    public static TheoryData<ChoiceMethod> Methods =>
        [ChoiceMethod.Auto, ChoiceMethod.Channel, ChoiceMethod.Direct, ChoiceMethod.Calibrated, ChoiceMethod.Labels, ChoiceMethod.CalibratedChannel, ChoiceMethod.Combined];

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Probabilities_sum_to_one_and_do_not_depend_on_company(ChoiceMethod method)
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        var questions = Enumerable.Range(0, 5)
            .Select(i => new ChoiceQuestion { Evidence = $"When did request {i} fail?", Options = Options, Method = method }).ToArray();

        var together = await scorer.ScoreAsync(questions);

        await using var other = new EngineHarness();
        foreach (var (question, result) in questions.Zip(together))
        {
            Assert.Equal(1, result.Scores.Sum(s => s.Probability), 6);
            Assert.Equal(Options, result.Scores.Select(s => s.Choice));
            var alone = await new ChoiceScorer(other.Engine).ScoreAsync(question);
            Assert.Equal(alone.Scores, result.Scores);
            Assert.Equal(method == ChoiceMethod.Auto ? ChoiceMethod.Combined : method, result.Method);
        }

        await harness.AssertClean();
    }

    public static TheoryData<string> ConformanceNames => [.. ChoiceScorerConformance.Cases.Keys];

    [Theory]
    [MemberData(nameof(ConformanceNames))]
    public async Task Conforms(string name)
    {
        await using var harness = new EngineHarness();
        await ChoiceScorerConformance.Cases[name](new ChoiceScorer(harness.Engine, renderOpening: Opening(harness.Engine)));
        await harness.AssertClean();
    }

    [Fact]
    public async Task What_a_user_says_is_scored_as_a_message_after_the_option()
    {
        await using var harness = new EngineHarness();
        var tokenizer = harness.Engine.Tokenizer;
        var question = new ChoiceQuestion
        {
            Evidence = "When did it fail?",
            Options = Options,
            ChannelTemplate = "You can call {name}: {description}",
            EvidenceIsRequest = true,
            Method = ChoiceMethod.Channel,
        };

        var result = await new ChoiceScorer(harness.Engine, renderOpening: Opening(harness.Engine)).ScoreAsync(question);

        var expected = await harness.Engine.ScoreAsync(new ScoreRequest
        {
            Sequences = [.. Options.Select(o => new ScoreSequence(
                tokenizer.Tokenize($"<|im_start|>system: You can call {o.Name.Replace('_', ' ')}: {o.Description} user: ", true),
                tokenizer.Tokenize("When did it fail?", false)))],
        });
        Assert.Equal(expected.LogProbabilities.Select(l => l.Sum(x => (double)x)), result.Scores.Select(s => s.LogLikelihood));
    }

    [Fact]
    public async Task With_examples_the_evidence_is_scored_as_the_answer_to_the_option_and_they_are_computed_once()
    {
        await using var harness = new EngineHarness();
        var tokenizer = harness.Engine.Tokenizer;
        int[] Render(IReadOnlyList<ChatMessage> messages) =>
            tokenizer.Tokenize(string.Concat(messages.Select(m => $"<|im_start|>{m.Role}: {m.Text} ")) + "<|im_start|>assistant: ", true);
        ChatMessage[] examples = [new(ChatRole.System, "Ask for it."), new(ChatRole.User, "clock: Tells the time."), new(ChatRole.Assistant, "How late is it?")];
        var question = new ChoiceQuestion
        {
            Evidence = "When did it fail?",
            Options = Options,
            ChannelTemplate = "{name}: {description}",
            ChannelExamples = examples,
            EvidenceIsRequest = true,
            Method = ChoiceMethod.Channel,
        };

        var result = await new ChoiceScorer(harness.Engine, Render, Opening(harness.Engine)).ScoreAsync(question);
        var again = await new ChoiceScorer(harness.Engine, Render, Opening(harness.Engine)).ScoreAsync(question with { Evidence = "Why does it fail?" });

        var expected = await harness.Engine.ScoreAsync(new ScoreRequest
        {
            Sequences = [.. Options.Select(o => new ScoreSequence(
                Render([.. examples, new ChatMessage(ChatRole.User, $"{o.Name.Replace('_', ' ')}: {o.Description}")]),
                tokenizer.Tokenize("When did it fail?", false)))],
        });
        Assert.Equal(expected.LogProbabilities.Select(l => l.Sum(x => (double)x)), result.Scores.Select(s => s.LogLikelihood));
        Assert.True(again.ComputedTokens <= Options.Length * again.EvidenceTokens, $"{again.ComputedTokens} tokens were computed.");
    }

    [Fact]
    public void Whether_to_call_a_tool_is_asked_in_the_words_that_its_calibration_was_measured_with() =>
        Assert.Empty(ToolQuestions.WhichOrAnswer("When did it fail?", Options).ChannelExamples);

    [Fact]
    public async Task Calibration_takes_off_what_an_option_makes_of_any_text_and_is_computed_once()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        var question = new ChoiceQuestion { Evidence = "When did it fail?", Options = Options, Method = ChoiceMethod.CalibratedChannel };

        var first = await scorer.ScoreAsync(question);
        var second = await scorer.ScoreAsync(question with { Evidence = "When did it end?" });
        var plain = await scorer.ScoreAsync(question with { Method = ChoiceMethod.Channel });

        Assert.True(first.ComputedTokens > 3 * second.ComputedTokens, $"{first.ComputedTokens} and {second.ComputedTokens}");
        Assert.All(first.Scores.Zip(plain.Scores), pair => Assert.True(pair.First.LogLikelihood > pair.Second.LogLikelihood));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Only_the_channel_adds_up_over_the_evidence(ChoiceMethod method)
    {
        await using var harness = new EngineHarness();
        const string Evidence = "When did request 7 fail, and why?";
        var question = new ChoiceQuestion { Evidence = Evidence, Options = Options, Method = method };

        var plain = await new ChoiceScorer(harness.Engine).ScoreAsync(question);
        var inTurns = await new ChoiceScorer(harness.Engine, renderOpening: Opening(harness.Engine)).ScoreAsync(question);

        var isChannel = plain.Method is ChoiceMethod.Channel or ChoiceMethod.CalibratedChannel;
        Assert.Equal(isChannel ? harness.Engine.Tokenizer.Tokenize(" " + Evidence, false).Length : 0, plain.EvidenceTokens);
        Assert.Equal(isChannel ? harness.Engine.Tokenizer.Tokenize(Evidence, false).Length : 0, inTurns.EvidenceTokens);
    }

    [Fact]
    public async Task Names_are_asked_for_as_the_answer_to_a_message()
    {
        await using var harness = new EngineHarness();
        var tokenizer = harness.Engine.Tokenizer;
        var question = new ChoiceQuestion { Evidence = "Where is my card?", Options = [new("card_arrival"), new("exchange_rate")], Method = ChoiceMethod.Direct };

        var result = await new ChoiceScorer(harness.Engine, renderAnswer: Answer(harness.Engine)).ScoreAsync(question);

        var expected = await harness.Engine.ScoreAsync(new ScoreRequest
        {
            Sequences = [.. question.Options.Select(o => new ScoreSequence(
                tokenizer.Tokenize("<|im_start|>user: Where is my card? bot: Topic:", true),
                tokenizer.Tokenize($" {o.Name.Replace('_', ' ')}", false)))],
        });
        Assert.Equal(expected.LogProbabilities.Select(l => l.Average(x => (double)x)), result.Scores.Select(s => s.LogLikelihood));
    }

    [Fact]
    public async Task Calibrated_names_cost_their_neutral_texts_once()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine, renderAnswer: Answer(harness.Engine));
        var question = new ChoiceQuestion
        {
            Evidence = "When did it fail?",
            Options = [new("card_arrival"), new("exchange_rate")],
            Method = ChoiceMethod.Calibrated,
        };

        var first = await scorer.ScoreAsync(question);
        var second = await scorer.ScoreAsync(question with { Evidence = "When did it end?" });

        Assert.True(first.ComputedTokens > 3 * second.ComputedTokens, $"{first.ComputedTokens} and {second.ComputedTokens}");
        await harness.AssertClean();
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(8, 4)]
    [InlineData(12, 6)]
    [InlineData(30, 10)]
    public async Task Where_names_say_little_the_channel_weighs_the_half_that_suits_best(int options, int most)
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        var question = new ChoiceQuestion { Evidence = "When did it fail?", Options = [.. Enumerable.Range(0, options).Select(i => new Choice($"topic number {i}"))] };

        var names = await scorer.ScoreAsync(question with { Method = ChoiceMethod.Calibrated });
        var channel = await scorer.ScoreAsync(question with { Method = ChoiceMethod.Channel });
        var combined = await scorer.ScoreAsync(question with { Method = ChoiceMethod.Combined });

        int[] order = [.. Enumerable.Range(0, options).OrderByDescending(i => names.Scores[i].LogLikelihood)];
        var mass = 0d;
        var weighed = Math.Min(most, Math.Max(2, 1 + order.TakeWhile(i => (mass += names.Scores[i].Probability) < 0.95).Count()));
        Assert.Equal(
            order.Take(weighed).Order(), Enumerable.Range(0, options).OrderByDescending(i => combined.Scores[i].LogLikelihood).Take(weighed).Order());
        Assert.All(order.Take(weighed), i => Assert.Equal(
            channel.Scores[i].LogLikelihood + (0.5 * names.Scores[i].LogLikelihood), combined.Scores[i].LogLikelihood, 4));
        Assert.Equal(1, combined.Scores.Sum(s => s.Probability), 6);
    }

    [Fact]
    public async Task The_channel_weighs_no_option_whose_name_is_out_of_the_question()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        var question = new ChoiceQuestion
        {
            Evidence = "When did it fail?",
            Options = [.. Enumerable.Range(0, 6).Select(i => new Choice($"topic number {i}", $"Says what is in volume {i}."))],
        };
        var names = await scorer.ScoreAsync(question with { Method = ChoiceMethod.Calibrated });
        var channel = await scorer.ScoreAsync(question with { Method = ChoiceMethod.Channel });

        var combined = await scorer.ScoreAsync(question with { LogPriors = [-60, 0, -60, -60, 0, -60] });

        Assert.Equal(ChoiceMethod.Combined, combined.Method);
        Assert.All([1, 4], i => Assert.Equal(
            channel.Scores[i].LogLikelihood + (0.5 * names.Scores[i].LogLikelihood), combined.Scores[i].LogLikelihood, 4));
        var lowest = Math.Min(combined.Scores[1].LogLikelihood, combined.Scores[4].LogLikelihood);
        Assert.All([0, 2, 3, 5], i => Assert.True(combined.Scores[i].LogLikelihood < lowest - 30));
        await harness.AssertClean();
    }

    [Theory]
    [InlineData("getWeatherOf", "sendMail")]
    [InlineData("get_weather_of", "send_mail")]
    [InlineData("get-weather-of", "send-mail")]
    [InlineData("get.weather_of", "send.mail")]
    public async Task Identifiers_are_read_as_words(string first, string second)
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        var question = new ChoiceQuestion { Evidence = "Will it rain?", Options = [new(first), new(second)], Method = ChoiceMethod.Channel };

        var identifiers = await scorer.ScoreAsync(question);
        var spaced = await scorer.ScoreAsync(question with { Options = [new("get weather of"), new("send mail")] });

        Assert.Equal(spaced.Scores.Select(s => s.LogLikelihood), identifiers.Scores.Select(s => s.LogLikelihood));
    }

    [Fact]
    public async Task A_name_with_spaces_is_left_as_it_is()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        var question = new ChoiceQuestion { Evidence = "Who is on call?", Options = [new("on-call list"), new("a_b c")], Method = ChoiceMethod.Direct };

        var result = await scorer.ScoreAsync(question);
        var changed = await scorer.ScoreAsync(question with { Options = [new("on call list"), new("a b c")] });

        Assert.All(result.Scores.Zip(changed.Scores), pair => Assert.NotEqual(pair.First.LogLikelihood, pair.Second.LogLikelihood));
    }

    [Fact]
    public async Task Names_of_several_words_say_what_they_mean()
    {
        await using var harness = new EngineHarness();
        var result = await new ChoiceScorer(harness.Engine).ScoreAsync(
            new ChoiceQuestion { Evidence = "Where is my card?", Options = [new("card_arrival"), new("exchange rate")] });
        Assert.Equal(ChoiceMethod.Combined, result.Method);
    }

    [Fact]
    public async Task Options_without_descriptions_are_asked_for_directly()
    {
        await using var harness = new EngineHarness();
        var result = await new ChoiceScorer(harness.Engine).ScoreAsync(
            new ChoiceQuestion { Evidence = "Who is next?", Options = [new("ann"), new("bob")] });
        Assert.Equal(ChoiceMethod.Direct, result.Method);
    }

    [Fact]
    public async Task The_channel_computes_only_the_evidence_once_options_are_known()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        var question = new ChoiceQuestion { Evidence = "When did it fail?", Options = Options, Method = ChoiceMethod.Channel };
        await scorer.ScoreAsync(question);

        var second = await scorer.ScoreAsync(question with { Evidence = "What is 1 and 1?" });

        var evidence = harness.Engine.Tokenizer.Tokenize(" What is 1 and 1?", false).Length;
        Assert.Equal(Options.Length * (evidence - 1), second.ComputedTokens);
        await harness.AssertClean();
    }

    [Fact]
    public async Task Priors_and_context_count()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        var question = new ChoiceQuestion { Evidence = "When did it fail?", Options = Options };
        var plain = await scorer.ScoreAsync(question);

        var certain = await scorer.ScoreAsync(question with { LogPriors = [double.NegativeInfinity, 0, double.NegativeInfinity] });
        var informed = await scorer.ScoreAsync(question with { Context = [new ChatMessage(ChatRole.System, "You know the log.")] });

        Assert.Equal("calculator", certain.Best.Choice.Name);
        Assert.Equal(1, certain.Margin);
        Assert.NotEqual(plain.Scores[0].LogLikelihood, informed.Scores[0].LogLikelihood);
    }

    [Fact]
    public async Task Bad_questions_are_refused()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine);
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(new ChoiceQuestion { Evidence = "x", Options = [] }));
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(new ChoiceQuestion { Evidence = "", Options = Options }));
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(
            new ChoiceQuestion { Evidence = "x", Options = [.. Enumerable.Range(0, 27).Select(i => new Choice($"{i}"))], Method = ChoiceMethod.Labels }));
    }

    private static Func<string, int[]> Opening(IInferenceEngine engine) =>
        instruction => engine.Tokenizer.Tokenize($"<|im_start|>system: {instruction} user: ", parseSpecial: true);

    private static Func<string, string, int[]> Answer(IInferenceEngine engine) =>
        (text, begun) => engine.Tokenizer.Tokenize($"<|im_start|>user: {text} bot: {begun}", parseSpecial: true);

    [SkippableTheory]
    [MemberData(nameof(ConformanceNames))]
    public async Task A_real_model_conforms(string name)
    {
        Skip.If(TestModels.Real is null, "ORCHESTRATOR_TEST_MODEL names no model.");
        await using var engine = OpenReal();
        await ChoiceScorerConformance.Cases[name](new ChoiceScorer(
            engine,
            renderOpening: instruction => engine.Tokenizer.Tokenize($"<|im_start|>system\n{instruction}<|im_end|>\n<|im_start|>user\n", parseSpecial: true),
            renderAnswer: (text, begun) => engine.Tokenizer.Tokenize($"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n{begun}", parseSpecial: true)));
        Assert.Empty(await engine.AuditAsync());
    }

    private static InferenceEngine OpenReal() => new(Orchestrator.Inference.Drivers.LlamaDriverLoader.Open(
        new Orchestrator.Inference.Drivers.LlamaDriverOptions { ModelPath = TestModels.Real!, ContextSize = 1024, BatchSize = 128, MaxSequences = 16, Threads = 2 }));

    [SkippableFact]
    public async Task A_real_model_finds_the_function_that_a_request_needs()
    {
        Skip.If(TestModels.Real is null, "ORCHESTRATOR_TEST_MODEL names no model.");
        await using var engine = OpenReal();
        Choice[] functions =
        [
            new("get_weather", "Gives the weather of a city on a day."),
            new("send_mail", "Sends an e-mail to a person."),
            new("convert_money", "Converts an amount from one currency to another."),
        ];
        var scorer = new ChoiceScorer(
            engine,
            messages => engine.Tokenizer.Tokenize(
                string.Concat(messages.Select(m => $"<|im_start|>{m.Role}\n{m.Text}<|im_end|>\n")) + "<|im_start|>assistant\n", parseSpecial: true),
            renderOpening: instruction => engine.Tokenizer.Tokenize($"<|im_start|>system\n{instruction}<|im_end|>\n<|im_start|>user\n", parseSpecial: true),
            renderAnswer: (text, begun) => engine.Tokenizer.Tokenize($"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n{begun}", parseSpecial: true));
        string[] requests = ["Will it rain in Oslo tomorrow?", "Write to Ann that I am late.", "Convert 20 dollars to euros."];

        var results = await scorer.ScoreAsync([.. requests.Select(r => ToolQuestions.Which(r, functions))]);

        Assert.Equal(functions.Select(f => f.Name), results.Select(r => r.Best.Choice.Name));
        Assert.Empty(await engine.AuditAsync());
    }
}
