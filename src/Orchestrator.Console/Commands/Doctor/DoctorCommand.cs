using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Native;

namespace Orchestrator.Console.Commands.Doctor;

/// <summary><c>orchestrator doctor</c>.</summary>
internal sealed class DoctorCommand : ConsoleCommand
{
    private const int MarkWidth = 6;
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
        services.GetRequiredService<IConfiguration>().GetSection(InferenceOptions.Section).Bind(options);
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
        var check = findings.Max(finding => finding.Check.Length);
        var indent = MarkWidth + check + 2;
        foreach (var finding in findings)
        {
            var (mark, colour) = finding.Health switch
            {
                Health.Ok => ("ok", "green"),
                Health.Warning => ("warn", "yellow"),
                _ => ("FAIL", "red"),
            };
            interaction.Markup(FormattableStringFactory.Create($"[{colour}]{{0}}[/]", mark.PadRight(MarkWidth)));
            interaction.Write(finding.Check.PadRight(check + 2));
            interaction.WriteLine(WordWrap.Hang(finding.Detail, interaction.Width, indent));
            if (finding.Fix is { } fix)
            {
                interaction.WriteLine(new string(' ', indent) + WordWrap.Hang($"try: {fix}", interaction.Width, indent));
            }
        }

        var failed = findings.Count(finding => finding.Health == Health.Failed);
        interaction.WriteLine(failed == 0 ? "Models can run here." : $"{failed} of {findings.Count} checks failed.");
    }

    private static double? ReadLoad() =>
        File.Exists(LoadFile)
        && double.TryParse(File.ReadAllText(LoadFile).Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var load)
            ? load
            : null;
}
