using Orchestrator.Console.Terminal;

namespace Orchestrator.Console.Tests.Terminal;

public class SpectreInteractionTests
{
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
