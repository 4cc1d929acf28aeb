using Orchestrator.Console.Terminal;
using Spectre.Console;

namespace Orchestrator.Console.Tests.Terminal;

public class SpectreInteractionTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_text_obeys_the_terminal_whatever_it_is_shown_by(bool ansi)
    {
        const string Evil = "a\u001b[2Jb\u001b]0;title\u0007c\u009b31md\u202ee\rf";
        var capabilities = new TerminalCapabilities { Ansi = ansi, Interactive = false, Width = 200 };
        using var output = new StringWriter();
        var interaction = new SpectreInteraction(capabilities, json: false, TextReader.Null, output, output);

        interaction.Render(new Table().AddColumn("x").AddRow(new Text(Evil)));
        interaction.Render(new Grid().AddColumn().AddRow(new Text(Evil)));
        interaction.MarkupLine($"[red]{Evil}[/]");
        interaction.WriteLine(Evil);
        interaction.Error(Evil, Evil);
        interaction.Warning(Evil);
        await interaction.ProgressAsync(Evil, progress =>
        {
            progress.Report(new ProgressReport(1, 2, "MiB") { Doing = Evil });
            return Task.FromResult(0);
        });

        var shown = output.ToString();
        Assert.All(["\u001b[2J", "\u001b]0", "\u0007", "\u009b", "\u202e", "\rf"], sequence => Assert.DoesNotContain(sequence, shown, StringComparison.Ordinal));
        Assert.True(shown.Split("abcdef").Length > 6, shown);
    }

    [Fact]
    public void Lines_that_no_terminal_reads_stay_whole_and_bare()
    {
        var capabilities = new TerminalCapabilities { Ansi = false, Interactive = false, Width = 40 };
        using var output = new StringWriter();
        using var error = new StringWriter();
        var interaction = new SpectreInteraction(capabilities, json: false, TextReader.Null, output, error);
        var path = $"/{string.Join('/', Enumerable.Repeat("folder with a space", 20))}";

        interaction.MarkupLine($"[green]written[/] {path}");
        interaction.Error($"{path} is missing.", $"orchestrator model add {path}");

        Assert.Equal($"written {path}\n", output.ToString().ReplaceLineEndings("\n"));
        Assert.Equal($"error: {path} is missing.\n  try: orchestrator model add {path}\n", error.ToString().ReplaceLineEndings("\n"));
    }
}
