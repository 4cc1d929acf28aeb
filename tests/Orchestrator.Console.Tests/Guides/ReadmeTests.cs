using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Guides;

/// <summary>What the READMEs promise on their first screen happens.</summary>
public sealed class ReadmeTests : IDisposable
{
    private const string Program = "dotnet run --project src/Orchestrator.Console -- ";

    private readonly string _folder = Directory.CreateTempSubdirectory("orchestrator-readme-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_first_command_gives_a_report_and_a_log_even_with_random_weights()
    {
        foreach (var name in new[] { "teams", "prompts", "plugins", "samples" })
        {
            Directory.CreateSymbolicLink(Path.Combine(_folder, name), Path.Combine(OrchestratorProcess.RepositoryRoot, name));
        }

        var model = TinyModel.Create(Path.Combine(_folder, "random.gguf"), new TinyModelOptions { Context = 8192 });
        var line = Block("README.md", "sh").Trim();
        Assert.StartsWith(Program, line, StringComparison.Ordinal);

        var (exit, output) = await OrchestratorProcess.RunAsync(
            line.Replace(Program, "orchestrator ", StringComparison.Ordinal).Replace("PATH", model, StringComparison.Ordinal),
            _folder);

        Assert.True(exit == 0, output);
        var report = Assert.Single(Directory.GetFiles(_folder, "report.md", Matching));
        Assert.Contains(".log:", await File.ReadAllTextAsync(report), StringComparison.Ordinal);
        Assert.Contains("run.finished", await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(_folder, "events.jsonl", Matching))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("README.zh-CN.md")]
    public void The_library_s_example_is_the_sample_that_is_compiled(string readme)
    {
        var sample = File.ReadAllText(Path.Combine(OrchestratorProcess.RepositoryRoot, "samples", "Quickstart", "Program.cs"));
        Assert.EndsWith(Block(readme, "csharp"), sample, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_languages_show_the_same_commands()
    {
        Assert.Equal(Block("README.md", "sh"), Block("README.zh-CN.md", "sh"));
        Assert.Equal("dotnet test\n", Block("README.md", "sh", skip: 1));
        Assert.Equal("dotnet test\n", Block("README.zh-CN.md", "sh", skip: 1));
    }

    private static readonly EnumerationOptions Matching = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    private static string Block(string readme, string language, int skip = 0)
    {
        var text = File.ReadAllText(Path.Combine(OrchestratorProcess.RepositoryRoot, readme));
        return text.Split($"```{language}\n")[skip + 1].Split("```")[0];
    }
}
