using System.Text.Json;
using Orchestrator.Console.Tests.Guides;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Models;

/// <summary>The console as its own child: it tries a file that it never loaded, and only once.</summary>
public sealed class ModelProbeCommandTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("orchestrator-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Known => Path.Combine(_root, "store", "known.json");

    [Fact]
    public async Task A_file_by_path_is_tried_once()
    {
        Settings("");
        TinyModel.Create(Path.Combine(_root, "mine.gguf"));

        var (exit, output) = await OrchestratorProcess.RunAsync("orchestrator chat Hello --max-tokens 2 --model mine.gguf", _root);
        Assert.True(exit == 0, output);
        var known = JsonDocument.Parse(await File.ReadAllTextAsync(Known)).RootElement;
        Assert.Equal(Path.Combine(_root, "mine.gguf"), known[0].GetProperty("path").GetString());

        var written = File.GetLastWriteTimeUtc(Known);
        (exit, output) = await OrchestratorProcess.RunAsync("orchestrator chat Hello --max-tokens 2 --model mine.gguf", _root);
        Assert.True(exit == 0, output);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Known));
    }

    [SkippableTheory]
    [InlineData("orchestrator chat Hello --model mine.gguf")]
    [InlineData("orchestrator model add mine.gguf")]
    public async Task A_file_that_ends_its_process_is_an_error_of_the_model(string command)
    {
        Skip.If(OperatingSystem.IsWindows(), "The child is a shell script.");
        Settings("\"ProbeCommand\": [\"sh\", \"-c\", \"echo assertion failed >&2; kill -ABRT $$\", \"probe\"], ");
        TinyModel.Create(Path.Combine(_root, "mine.gguf"));

        var (exit, output) = await OrchestratorProcess.RunAsync(command, _root);
        Assert.Equal(3, exit);
        var words = string.Join(' ', output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("signal 6, abort (assertion failed)", words, StringComparison.Ordinal);
        Assert.Contains("pull or convert it again", words, StringComparison.Ordinal);
        Assert.False(File.Exists(Known));

        (exit, output) = await OrchestratorProcess.RunAsync("orchestrator model list --json", _root);
        Assert.True(exit == 0, output);
        Assert.DoesNotContain("mine", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_tries_a_model_again()
    {
        Settings("");
        TinyModel.Create(Path.Combine(_root, "mine.gguf"));
        var (exit, output) = await OrchestratorProcess.RunAsync("orchestrator model add mine.gguf", _root);
        Assert.True(exit == 0, output);
        File.Delete(Known);
        (exit, output) = await OrchestratorProcess.RunAsync("orchestrator model verify", _root);
        Assert.True(exit == 0, output);
        Assert.True(File.Exists(Known));
    }

    private void Settings(string more) => File.WriteAllText(
        Path.Combine(_root, "appsettings.json"),
        $$"""{"Orchestrator": {{{more}}"ContextSize": 512, "MaxSequences": 4, "Models": {"Root": "store"} } }""");
}
