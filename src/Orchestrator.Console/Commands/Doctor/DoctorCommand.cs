using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Native;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Doctor;

/// <summary><c>orchestrator doctor</c>.</summary>
internal sealed class DoctorCommand : ConsoleCommand
{
    private const string LoadFile = "/proc/loadavg";
    private const string NvidiaDevice = "/dev/nvidiactl";

    private readonly Option<string?> _model = GlobalOptions.Model();

    public DoctorCommand()
        : base(
            "doctor",
            "Check what running a model needs: native library, processor, GPU, threads, model, memory.",
            "orchestrator doctor",
            "orchestrator doctor --model models/small.gguf --json") => Add(_model);

    public override void Configure(ParseResult parse, HostApplicationBuilder builder) =>
        builder.AddModelStore();

    public override Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var options = new InferenceOptions();
        services.GetRequiredService<IConfiguration>().GetSection("Orchestrator").Bind(options);
        var findings = new Checkup
        {
            Options = options,
            Hardware = Hardware.Detect(),
            DescribeNative = NativeRuntime.Describe,
            ResolveModel = () => services.FindModel(parse.GetValue(_model)),
            Load = ReadLoad(),
            HasNvidiaDevice = File.Exists(NvidiaDevice),
        }.Run(cancellationToken);

        if (interaction.Json)
        {
            foreach (var finding in findings)
            {
                interaction.WriteJson(finding);
            }
        }
        else
        {
            Show(interaction, findings);
        }

        return Task.FromResult(findings.Any(finding => finding.Health == Health.Failed) ? ExitCodes.Model : ExitCodes.Ok);
    }

    private static void Show(IInteraction interaction, IReadOnlyList<Finding> findings)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders()
            .AddColumn(new TableColumn("").NoWrap())
            .AddColumn(new TableColumn("").NoWrap())
            .AddColumn("");
        foreach (var finding in findings)
        {
            var (mark, colour) = finding.Health switch
            {
                Health.Ok => ("ok", Color.Green),
                Health.Warning => ("warn", Color.Yellow),
                _ => ("FAIL", Color.Red),
            };
            table.AddRow(new Text(mark, new Style(colour)), new Text(finding.Check), new Text(finding.Detail));
            if (finding.Fix is { } fix)
            {
                table.AddRow(new Text(""), new Text(""), new Text("try: " + fix, new Style(Color.Yellow)));
            }
        }

        interaction.Render(table);
        var failed = findings.Count(finding => finding.Health == Health.Failed);
        interaction.WriteLine(failed == 0 ? "Models can run here." : $"{failed} of {findings.Count} checks failed.");
    }

    private static double? ReadLoad() =>
        File.Exists(LoadFile)
        && double.TryParse(File.ReadAllText(LoadFile).Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var load)
            ? load
            : null;
}
