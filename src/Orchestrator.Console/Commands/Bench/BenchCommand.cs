using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Benchmarks;

namespace Orchestrator.Console.Commands.Bench;

/// <summary><c>orchestrator bench</c>: what a model gives on this machine.</summary>
internal sealed class BenchCommand : ConsoleCommand
{
    private readonly Option<string?> _model = GlobalOptions.Model();
    private readonly Option<bool> _yes = GlobalOptions.Yes();
    private readonly Option<bool> _quick = new("--quick") { Description = "Fewer agents, shorter texts, no repeats: a look, not a measurement." };
    private readonly Option<int?> _agents = Number("--agents", 1, 32, "Agents that talk. Default: 4, or 3 with --quick.");
    private readonly Option<int?> _preamble = Number("--preamble", 1, 100_000, "Tokens that all agents see before they talk. Default: 1024, or 256 with --quick.");
    private readonly Option<int?> _rounds = Number("--rounds", 1, 20, "How often each agent speaks. Default: 2, or 1 with --quick.");

    public BenchCommand()
        : base(
            "bench",
            "Measure what the model gives on this machine: reading, writing, and a conversation of many agents, against one context for each agent and a bare loop over llama.cpp.",
            "orchestrator bench --model smollm2-135m",
            "orchestrator bench --quick",
            "orchestrator bench --agents 8 --preamble 4096 --rounds 2",
            "orchestrator bench --json --model ./model.gguf > bench.jsonl")
    {
        Add(_model);
        Add(_yes);
        Add(_quick);
        Add(_agents);
        Add(_preamble);
        Add(_rounds);
    }

    public override void Configure(ParseResult parse, HostApplicationBuilder builder) =>
        builder.AddModel(parse.GetValue(_model));

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var file = await services.FindOrPullModelAsync(parse.GetValue(_model), parse.GetValue(_yes), cancellationToken);
        var size = parse.GetValue(_quick) ? BenchmarkOptions.Quick : new BenchmarkOptions();
        size = size with
        {
            Agents = parse.GetValue(_agents) ?? size.Agents,
            Preamble = parse.GetValue(_preamble) ?? size.Preamble,
            Rounds = parse.GetValue(_rounds) ?? size.Rounds,
        };
        var report = await interaction.ProgressAsync("measuring", bar => services.GetRequiredService<ModelBenchmark>()
            .RunAsync(file, size, new Bar(bar), cancellationToken));
        if (interaction.Json)
        {
            BenchJson.Write(interaction, report);
        }
        else
        {
            BenchView.Show(interaction, report);
        }

        return ExitCodes.Ok;
    }

    private static Option<int?> Number(string name, int least, int most, string description) => new(name)
    {
        Description = description,
        HelpName = "NUMBER",
        Validators =
        {
            result =>
            {
                if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var value)
                    && (value < least || value > most))
                {
                    result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be {least} to {most}."));
                }
            },
        },
    };

    private sealed class Bar(IProgress<ProgressReport> bar) : IProgress<BenchmarkProgress>
    {
        public void Report(BenchmarkProgress value) => bar.Report(new ProgressReport(value.Done, value.Total, Doing: value.Next));
    }
}
