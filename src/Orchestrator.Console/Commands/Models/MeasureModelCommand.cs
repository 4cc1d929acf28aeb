using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Core;
using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Deciding;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model measure</c>.</summary>
internal sealed class MeasureModelCommand : ConsoleCommand
{
    private readonly Argument<string?> _model = ModelStoreCommand.ModelArgument();
    private readonly Option<bool> _yes = GlobalOptions.Yes();
    private readonly Option<string?> _cases = new("--cases")
    {
        Description = "Your own cases: JSON lines with text, options (name, description) and right. Default: the built-in ones.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Measure, and keep nothing." };

    public MeasureModelCommand()
        : base(
            "measure",
            "Measure how a model decides best among options, and keep it beside the model, where every run finds it.",
            "orchestrator model measure smollm2-135m",
            "orchestrator model measure ./model.gguf --cases mine.jsonl --dry-run",
            "orchestrator model measure ./model.gguf --json")
    {
        Add(_model);
        Add(_cases);
        Add(_dryRun);
        Add(_yes);
    }

    public override void Configure(ParseResult parse, HostApplicationBuilder builder) =>
        builder.AddModel(parse.GetValue(_model));

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var cases = await ReadAsync(services, parse.GetValue(_cases), cancellationToken);
        var file = await services.FindOrPullModelAsync(parse.GetValue(_model), parse.GetValue(_yes), cancellationToken);
        var report = await interaction.ProgressAsync("measuring", bar => services.GetRequiredService<DecisionMeasurement>()
            .RunAsync(file, cases, keep: !parse.GetValue(_dryRun), new Bar(bar), cancellationToken));
        if (interaction.Json)
        {
            MeasurementView.WriteJson(interaction, report);
        }
        else
        {
            MeasurementView.Show(interaction, report);
        }

        return ExitCodes.Ok;
    }

    private static async Task<IReadOnlyList<DecisionCase>> ReadAsync(IServiceProvider services, string? file, CancellationToken cancellationToken)
    {
        if (file is null)
        {
            return DecisionCase.BuiltIn();
        }

        var path = services.GetRequiredService<RootFolder>().Resolve(file);
        try
        {
            return DecisionCase.Parse(await File.ReadAllLinesAsync(path, cancellationToken), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OrchestratorException(ErrorKind.Usage, $"{path} can't be read: {e.Message}", "Check the path; it is relative to --root.", e);
        }
    }

    private sealed class Bar(IProgress<ProgressReport> bar) : IProgress<MeasurementProgress>
    {
        public void Report(MeasurementProgress value) =>
            bar.Report(new ProgressReport(value.Done, value.Total, Doing: MeasurementView.Name(value.Method)));
    }
}
