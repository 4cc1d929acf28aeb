using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Hosting;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Benchmarks;

public sealed class DecisionMeasurementTests
{
    private static readonly Choice[] Described = [new("clock", "Tells the time."), new("mail", "Sends a message.")];
    private static readonly Choice[] Names = [new("clock"), new("mail")];

    [Fact]
    public async Task The_method_that_is_right_is_chosen_for_the_kind_where_it_is()
    {
        // Of described options the channel is right; of names no method is.
        var scorers = new List<ScriptedChoiceScorer>();
        var progress = new Reports();
        var kinds = await MeasureAsync(
            [.. Cases(Described, 12), .. Cases(Names, 12)],
            scorers,
            question => question.Method == ChoiceMethod.Channel && question.Options[0].Description is not null ? "mail" : "clock",
            progress);

        Assert.Equal([DecisionKind.Described, DecisionKind.NamesOnly], kinds.Select(k => k.Kind));
        Assert.Equal(new MeasuredMethod(ChoiceMethod.Channel, 12, 12, 0), kinds[0].Chosen);
        Assert.Equal(new MeasuredMethod(ChoiceMethod.Auto, 12, 0, 0), kinds[1].Chosen);
        Assert.Equal((1, 0), (kinds[0].Methods.Single(m => m.Method == ChoiceMethod.Channel).Accuracy, kinds[0].Methods[0].Accuracy));
        Assert.Equal(0.5, kinds[0].Chance);

        // Each method has a scorer of its own, and is asked nothing but itself, beside what makes options known.
        Assert.Equal(6, scorers.Count);
        Assert.All(scorers.SkipLast(1), scorer => Assert.Single(scorer.Questions.Select(q => q.Method).Distinct()));
        Assert.All(scorers, scorer => Assert.Equal(24, scorer.Questions.Count(q => q.Evidence.StartsWith("case", StringComparison.Ordinal))));

        Assert.Equal(6 * 24, progress.Last!.Total);
        Assert.Equal(progress.Last.Total, progress.Last.Done);
    }

    [Fact]
    public async Task The_default_of_names_is_the_one_that_each_question_would_get()
    {
        Choice[] readable = [new("wall clock"), new("letter box"), new("mail")];
        var kinds = await MeasureAsync(
            [new("case 1", readable[..2], "letter box"), new("case 2", readable, "mail")],
            [],
            question => question.Method == ChoiceMethod.Combined ? "letter box" : question.Method == ChoiceMethod.Direct ? question.Options[^1].Name : "wall clock");

        // Combined for the names of two words, direct where one has a single word.
        Assert.Equal(2, kinds.Single().Methods[0].Right);
        Assert.Equal(1, kinds.Single().Methods.Single(m => m.Method == ChoiceMethod.Combined).Right);
    }

    [Fact]
    public async Task Letters_are_left_out_where_there_are_too_many_options()
    {
        Choice[] many = [.. Enumerable.Range(0, 27).Select(i => new Choice($"c{i}"))];
        var scorers = new List<ScriptedChoiceScorer>();
        var kinds = await MeasureAsync([new("case", many, "c3")], scorers, question => question.Options[0].Name);

        Assert.DoesNotContain(kinds.Single().Methods, m => m.Method == ChoiceMethod.Labels);
        Assert.Equal(5, scorers.Count);
    }

    [SkippableFact]
    public async Task A_real_model_is_measured_and_its_profile_is_found_again()
    {
        Skip.If(TestModels.Real is null, "ORCHESTRATOR_TEST_MODEL names no model.");
        using var folder = new TemporaryFolder();
        var path = folder.File("real.gguf");
        File.Copy(TestModels.Real!, path);
        await using var services = new ServiceCollection()
            .AddOrchestratorInference(o => (o.Threads, o.ContextSize, o.MaxSequences, o.ProbeUnknownModels) = (2, 1024, 16, false))
            .BuildServiceProvider();

        var report = await services.GetRequiredService<DecisionMeasurement>().RunAsync(path, [.. DecisionCase.BuiltIn().Take(10)], keep: true);

        var kind = report.Kinds.Single();
        Assert.Equal(7, kind.Methods.Count);
        Assert.All(kind.Methods, method => Assert.Equal(10, method.Cases));
        Assert.All(kind.Methods, method => Assert.True(method.Tokens > 1));
        var channel = kind.Methods.Single(m => m.Method == ChoiceMethod.Channel);
        Assert.True(channel.Accuracy > 2 * kind.Chance, $"{channel.Right} of {channel.Cases} right");
        Assert.Equal(new DecisionProfile(kind.Chosen, null), DecisionProfileFile.Read(path).Profile);
    }

    private static IEnumerable<DecisionCase> Cases(Choice[] options, int count) =>
        Enumerable.Range(0, count).Select(i => new DecisionCase($"case {i}", options, "mail"));

    private static Task<IReadOnlyList<KindFigures>> MeasureAsync(
        IReadOnlyList<DecisionCase> cases, List<ScriptedChoiceScorer> scorers, Func<ChoiceQuestion, string> choose, IProgress<MeasurementProgress>? progress = null) =>
        DecisionMeasurement.MeasureAsync(
            () =>
            {
                scorers.Add(new ScriptedChoiceScorer(choose));
                return Task.FromResult<(IChoiceScorer, IAsyncDisposable)>((scorers[^1], new Nothing()));
            },
            cases,
            TimeProvider.System,
            progress,
            CancellationToken.None);

    private sealed class Nothing : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Reports : IProgress<MeasurementProgress>
    {
        public MeasurementProgress? Last { get; private set; }

        public void Report(MeasurementProgress value) => Last = value;
    }
}
