using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Tests.Scheduling;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Deciding;

public sealed class DecisionProfileTests : IDisposable
{
    private static readonly DecisionProfile Profile = new(
        new MeasuredMethod(ChoiceMethod.Labels, 40, 36, 20), new MeasuredMethod(ChoiceMethod.Auto, 30, 20, 20));

    private static readonly Choice[] Described = [new("clock", "Tells the time."), new("mail", "Sends a message.")];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(40, 20, 5, 0, true)] // five gained and none lost is 2.4 standard errors
    [InlineData(40, 20, 4, 0, true)]
    [InlineData(40, 20, 3, 0, false)]
    [InlineData(40, 20, 9, 5, false)]
    [InlineData(40, 20, 12, 4, true)]
    [InlineData(40, 20, 2, 9, false)]
    [InlineData(40, 20, 0, 0, false)]
    [InlineData(9, 0, 9, 0, false)] // too few cases, though all are gained
    [InlineData(10, 0, 10, 0, true)]
    public void The_default_stays_unless_another_method_is_clearly_better(int cases, int defaultRight, int gained, int lost, bool replaced)
    {
        bool[] byDefault = [.. Enumerable.Range(0, cases).Select(i => i < defaultRight)];
        bool[] byMethod = [.. Enumerable.Range(0, cases).Select(i => i < defaultRight ? i >= lost : i < defaultRight + gained)];

        var chosen = DecisionProfile.Choose(byDefault, [(ChoiceMethod.Channel, byMethod)]);

        Assert.Equal(
            replaced
                ? new MeasuredMethod(ChoiceMethod.Channel, cases, defaultRight + gained - lost, defaultRight)
                : new MeasuredMethod(ChoiceMethod.Auto, cases, defaultRight, defaultRight),
            chosen);
    }

    [Fact]
    public void Of_several_better_methods_the_most_often_right_is_chosen_and_of_equals_the_first()
    {
        var chosen = DecisionProfile.Choose(
            First(0), [(ChoiceMethod.Direct, First(10)), (ChoiceMethod.Calibrated, First(15)), (ChoiceMethod.Channel, First(15))]);
        Assert.Equal(ChoiceMethod.Calibrated, chosen.Method);

        static bool[] First(int right) => [.. Enumerable.Range(0, 20).Select(i => i < right)];
    }

    [Fact]
    public void A_profile_is_read_as_it_was_written()
    {
        var model = Model();
        Assert.Equal(new DecisionProfileReading(null), DecisionProfileFile.Read(model));

        var path = DecisionProfileFile.Write(model, Profile);

        Assert.Equal(model.Path + ".decisions.json", path);
        Assert.Equal(new DecisionProfileReading(Profile), DecisionProfileFile.Read(model));
        Assert.Equal(new DecisionProfileReading(Profile), DecisionProfileFile.Read(model.Path));
        Assert.Equal([model.Path, path], Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal));

        var part = new DecisionProfile(null, Profile.NamesOnly);
        DecisionProfileFile.Write(model, part);
        Assert.Equal(part, DecisionProfileFile.Read(model).Profile);
    }

    [Fact]
    public void A_profile_is_not_used_for_another_file_in_the_same_place()
    {
        var model = Model();
        DecisionProfileFile.Write(model, Profile);
        TinyModel.Create(model.Path, new TinyModelOptions { Seed = 2 });

        var (profile, problem) = DecisionProfileFile.Read(GgufReader.ReadModel(model.Path));

        Assert.Null(profile);
        Assert.Contains(DecisionProfileFile.PathOf(model.Path), problem, StringComparison.Ordinal);
        Assert.Contains("another file", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "line 1")]
    [InlineData("{\n\"version\": 1,\n", "line 3")]
    [InlineData("null", "version")]
    [InlineData("[]", "$")]
    [InlineData("""{"version": 1}""", "model")]
    [InlineData("""{"version": 2, "model": "", "described": null, "namesOnly": null}""", "version")]
    [InlineData("""{"version": 1, "model": "", "described": null, "namesOnly": null, "colour": 1}""", "colour")]
    [InlineData("""{"version": 1, "model": "", "described": {"method": "guess", "cases": 1, "right": 1, "defaultRight": 1}, "namesOnly": null}""", "$.described.method")]
    [InlineData("""{"version": 1, "model": "", "described": {"method": "generated", "cases": 1, "right": 1, "defaultRight": 1}, "namesOnly": null}""", "contradict")]
    [InlineData("""{"version": 1, "model": "", "described": {"method": "direct", "cases": 1, "right": 2, "defaultRight": 1}, "namesOnly": null}""", "contradict")]
    public void A_file_that_is_no_profile_is_named_with_its_fault(string content, string cause)
    {
        var model = Model();
        File.WriteAllText(DecisionProfileFile.PathOf(model.Path), content);

        var (profile, problem) = DecisionProfileFile.Read(model);

        Assert.Null(profile);
        Assert.StartsWith(DecisionProfileFile.PathOf(model.Path), problem, StringComparison.Ordinal);
        Assert.Contains(cause, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_nothing_can_be_written_the_error_says_what_to_do()
    {
        var model = Model();
        Directory.CreateDirectory(DecisionProfileFile.PathOf(model.Path) + ".part");

        foreach (var write in new Action[] { () => DecisionProfileFile.RequireWritable(model.Path), () => DecisionProfileFile.Write(model, Profile) })
        {
            var error = Assert.Throws<OrchestratorException>(write);
            Assert.Equal(ErrorKind.Model, error.Kind);
            Assert.Contains(DecisionProfileFile.PathOf(model.Path), error.Message, StringComparison.Ordinal);
            Assert.Contains("--dry-run", error.Remedy, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_was_measured_decides_where_the_question_leaves_it_open()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine, profile: Profile with { NamesOnly = new(ChoiceMethod.CalibratedChannel, 30, 30, 0) });
        var question = new ChoiceQuestion { Evidence = "When did it fail?", Options = Described };
        Choice[] names = [new("clock"), new("mail")];
        Choice[] many = [.. Enumerable.Range(0, 27).Select(i => new Choice($"c{i}", "A choice."))];

        var results = await scorer.ScoreAsync(
        [
            question,
            ToolQuestions.Which("When did it fail?", Described),
            question with { Options = names },
            question with { Method = ChoiceMethod.Direct },
            question with { ChannelTemplate = "{name}: {description}\nA task for it: " },
            question with { Options = many },
            question with { Options = names, Evidence = "" },
        ]);

        Assert.Equal(
            [
                ChoiceMethod.Labels, ChoiceMethod.Labels, ChoiceMethod.CalibratedChannel, ChoiceMethod.Direct,
                ChoiceMethod.Channel, ChoiceMethod.Combined, ChoiceMethod.Direct,
            ],
            results.Select(r => r.Method));
    }

    [Fact]
    public async Task A_kind_that_kept_the_default_or_was_not_measured_is_scored_as_ever()
    {
        await using var harness = new EngineHarness();
        var scorer = new ChoiceScorer(harness.Engine, profile: new DecisionProfile(null, new(ChoiceMethod.Auto, 30, 20, 20)));

        var results = await scorer.ScoreAsync(
        [
            new ChoiceQuestion { Evidence = "When did it fail?", Options = Described },
            new ChoiceQuestion { Evidence = "When did it fail?", Options = [new("clock"), new("mail")] },
        ]);

        Assert.Equal([ChoiceMethod.Combined, ChoiceMethod.Direct], results.Select(r => r.Method));
    }

    [Fact]
    public async Task A_host_decides_by_the_profile_beside_the_model_and_by_default_where_it_is_broken()
    {
        var model = Model();
        DecisionProfileFile.Write(model, Profile);
        Assert.Equal(ChoiceMethod.Labels, await MethodOfAsync(model.Path));

        await File.WriteAllTextAsync(DecisionProfileFile.PathOf(model.Path), "{");
        Assert.Equal(ChoiceMethod.Combined, await MethodOfAsync(model.Path));
    }

    private static async Task<ChoiceMethod> MethodOfAsync(string path)
    {
        await using var services = new ServiceCollection()
            .AddOrchestratorInference(o => (o.Threads, o.ContextSize, o.ProbeUnknownModels) = (1, 512, false))
            .BuildServiceProvider();
        var model = await services.GetRequiredService<ModelHost>().LoadAsync(path);
        return (await model.Scorer.ScoreAsync(new ChoiceQuestion { Evidence = "When did it fail?", Options = Described })).Method;
    }

    private GgufModel Model() => GgufReader.ReadModel(TinyModel.Create(_folder.File("tiny.gguf")));
}
