using System.Text.Json;
using Incident.Generator;
using Microsoft.SemanticKernel;
using Orchestrator.Core.Plugins;

namespace Orchestrator.Plugins.Logs.Tests;

public sealed class LogsPluginTests : IDisposable
{
    private readonly LogFolder _folder;
    private readonly LogFolder _output = new();
    private readonly LogsPlugin _logs;
    private readonly Truth _truth;

    public LogsPluginTests()
    {
        var incident = IncidentFolder.Make(7, FaultKind.Named("pool-exhaustion"));
        _truth = incident.Truth;
        _folder = new LogFolder([.. incident.Files.Select(f => (f.Key, f.Value))]);
        _logs = new LogsPlugin(new PluginContext { Root = _folder.Path, OutputFolder = _output.Path, Inputs = new Dictionary<string, string> { ["logs"] = "." } });
    }

    [Fact]
    public void All_functions_answer_with_lines_that_exist()
    {
        foreach (var answer in new[] { _logs.Overview(), _logs.Search("pool"), _logs.Timeline(), _logs.Trace(), _logs.Anomalies(), _logs.Anomalies("checkout"), _logs.Changes(), _logs.Suspects(), _logs.Around("checkout.log", 476), _logs.Hypotheses(), _logs.Symptoms(), _logs.Report("checkout"), _logs.Evidence("checkout") })
        {
            Assert.NotEmpty(answer);
            if (Citations.In(answer).Count > 0)
            {
                Assert.Empty(Citations.Problems(answer, _folder.Reader));
            }
        }
    }

    [Fact]
    public void The_cause_is_among_the_changes_and_quoted_as_evidence()
    {
        var causes = _truth.Evidence.Where(e => e.Role == "cause").Select(e => $"{e.File}:{e.Line}").ToList();
        Assert.Contains(causes, c => _logs.Changes().Contains(c, StringComparison.Ordinal));
        Assert.Contains(causes, c => _logs.Evidence(_truth.Service).Contains(c, StringComparison.Ordinal));
    }

    [Fact]
    public void Hypotheses_are_the_options_of_a_decision()
    {
        using var options = JsonDocument.Parse(_logs.Hypotheses(3));
        Assert.Equal(3, options.RootElement.GetArrayLength());
        Assert.All(options.RootElement.EnumerateArray(), o =>
        {
            Assert.NotEmpty(o.GetProperty("name").GetString()!);
            Assert.NotNull(o.GetProperty("description").GetString());
            Assert.InRange(o.GetProperty("logPrior").GetDouble(), -7, 0);
        });
    }

    [Fact]
    public void The_check_reads_reports_of_the_run_and_nothing_else()
    {
        var report = Path.Combine(_output.Path, "report.md");
        File.WriteAllText(report, "It was checkout.log:99999.");
        Assert.Contains("99999", _logs.Check(report), StringComparison.Ordinal);
        File.WriteAllText(report, _logs.Report("checkout"));
        Assert.Empty(_logs.Check(report));
        Assert.Throws<UnauthorizedAccessException>(() => _logs.Check(Path.Combine(_folder.Path, "checkout.log")));
    }

    [Fact]
    public void A_kernel_can_call_it()
    {
        var plugin = KernelPluginFactory.CreateFromFunctions("logs", KernelPluginFactory.CreateFromObject(_logs, "logs"));
        Assert.Equal(["anomalies", "changes", "check", "evidence", "findings", "hypotheses", "lines", "overview", "search", "suspects", "symptoms", "timeline", "trace"], plugin.Select(f => f.Name).Order());
        Assert.All(plugin, f => Assert.NotEmpty(f.Description));
    }

    [Fact]
    public void A_folder_without_logs_gives_plain_answers()
    {
        using var empty = new LogFolder();
        var logs = new LogsPlugin(empty.Path);
        Assert.All(new[] { logs.Overview(), logs.Timeline(), logs.Trace(), logs.Anomalies(), logs.Changes(), logs.Suspects(), logs.Evidence("x"), logs.Search("x") }, Assert.NotEmpty);
        Assert.Equal("[]", logs.Hypotheses());
    }

    public void Dispose()
    {
        _folder.Dispose();
        _output.Dispose();
    }
}
