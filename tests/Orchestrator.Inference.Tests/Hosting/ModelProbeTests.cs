using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Hosting;
using Orchestrator.Inference.Store;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Hosting;

/// <summary>Children that pass, complain, die and hang are played by the shell.</summary>
public sealed class ModelProbeTests : IAsyncLifetime
{
    private const string Passes = """echo '{"loaded":0.5}'; echo noise; echo '{"loaded":1,"passed":true}'""";

    private TemporaryFolder Folder { get; } = new();
    private readonly List<ServiceProvider> _providers = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var provider in _providers)
        {
            await provider.DisposeAsync();
        }

        Folder.Dispose();
    }

    [SkippableFact]
    public async Task A_file_that_passes_is_not_tried_again_until_it_changes()
    {
        var file = Copy();
        Assert.True(Probe(Passes).IsDue(file));
        var shares = new List<float>();
        Assert.True(await Probe(Passes).TryAsync(file, new Shares(shares)));
        Assert.Equal([0.5f, 1f], shares);
        Assert.False(Probe(Passes).IsDue(file));

        File.SetLastWriteTimeUtc(file.Path, File.GetLastWriteTimeUtc(file.Path).AddSeconds(1));
        Assert.True(Probe(Passes).IsDue(file));
    }

    [SkippableTheory]
    [InlineData("echo 'GGML_ASSERT(n > 0) failed' >&2; kill -ABRT $$", "signal 6, abort (GGML_ASSERT(n > 0) failed)", "ProbeUnknownModels")]
    [InlineData("kill -SEGV $$", "signal 11, segmentation fault", "convert it again")]
    [InlineData("kill -KILL $$", "signal 9, killed", "memory")]
    [InlineData("exit 5", "exit code 5", "convert it again")]
    [InlineData("echo '{\"loaded\":1}'", "exit code 0", "convert it again")]
    [InlineData("""echo '{"error":"It is no good.","remedy":"Mend it."}'; exit 1""", "It is no good.", "Mend it.")]
    public async Task A_child_that_does_not_pass_is_a_clear_error(string script, string cause, string remedy)
    {
        var file = Copy();
        var error = await Assert.ThrowsAsync<OrchestratorException>(() => Probe(script).TryAsync(file));
        Assert.Equal(ErrorKind.Model, error.Kind);
        Assert.Contains(cause, error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
        if (!script.Contains("no good", StringComparison.Ordinal))
        {
            Assert.Contains(file.Path, error.Message, StringComparison.Ordinal);
        }

        Assert.True(Probe(script).IsDue(file));
    }

    [SkippableFact]
    public async Task A_child_that_hangs_is_ended()
    {
        var id = Folder.File("id");
        var error = await Assert.ThrowsAsync<OrchestratorException>(
            () => Probe($"echo $$ > '{id}'; exec sleep 1000", TimeSpan.FromMilliseconds(300)).TryAsync(Copy()));
        Assert.Contains("did not get any further", error.Message, StringComparison.Ordinal);
        if (File.Exists(id) && int.TryParse(await File.ReadAllTextAsync(id), CultureInfo.InvariantCulture, out var process))
        {
            Assert.Throws<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(process));
        }
    }

    [SkippableFact]
    public async Task Cancelling_ends_the_child()
    {
        using var cancellation = new CancellationTokenSource();
        var trying = Probe("exec sleep 1000").TryAsync(Copy(), null, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => trying);
    }

    [Fact]
    public async Task A_command_that_cannot_start_is_an_error_of_the_settings()
    {
        var error = await Assert.ThrowsAsync<OrchestratorException>(
            () => Probe(options => options.ProbeCommand.Add(Folder.File("nothing"))).TryAsync(Copy()));
        Assert.Equal(ErrorKind.Configuration, error.Kind);
    }

    [Fact]
    public async Task Without_a_command_or_where_it_is_off_nothing_is_tried()
    {
        Assert.False(await Probe(_ => { }).TryAsync(Copy()));
        Assert.False(Probe(options =>
        {
            options.ProbeCommand.Add("sh");
            options.ProbeUnknownModels = false;
        }).IsDue(Copy()));
    }

    [SkippableFact]
    public async Task A_host_tries_before_it_loads()
    {
        Skip.If(OperatingSystem.IsWindows(), "The children are shell scripts.");
        var (died, passed) = (Services(Script("kill -SEGV $$")), Services(Script(Passes)));
        var file = Copy().Path;
        await Assert.ThrowsAsync<OrchestratorException>(() => died.GetRequiredService<ModelHost>().LoadAsync(file));
        var shares = new List<float>();
        Assert.NotNull(await passed.GetRequiredService<ModelHost>().LoadAsync(file, new Shares(shares)));
        Assert.Equal(0.25f, shares[0]);
        Assert.Equal(1f, shares[^1]);
        Assert.True(shares.SequenceEqual(shares.Order()));

        // Known now, so the child that would die is not asked.
        Assert.NotNull(await Services(Script("kill -SEGV $$")).GetRequiredService<ModelHost>().LoadAsync(file));
    }

    [Fact]
    public void The_child_loads_and_computes()
    {
        using var output = new StringWriter();
        Assert.Equal(0, ModelProbeChild.Run(TinyModel.SharedPath, output));
        Assert.True(Last(output).Passed);
    }

    [Fact]
    public void The_child_refuses_what_is_no_model_and_what_computes_no_numbers()
    {
        var text = Folder.File("text.gguf");
        File.WriteAllText(text, "Just notes.");
        using var refused = new StringWriter();
        Assert.Equal(1, ModelProbeChild.Run(text, refused));
        Assert.Contains("not a GGUF file", Last(refused).Error, StringComparison.Ordinal);

        var broken = Copy();
        var norm = broken.Tensors.Single(tensor => tensor.Name == "output_norm.weight");
        using (var file = File.OpenWrite(broken.Path))
        {
            file.Position = broken.Parts[0].DataOffset + norm.Offset;
            file.Write(Enumerable.Repeat((byte)0xff, (int)norm.Bytes).ToArray());
        }

        using var output = new StringWriter();
        Assert.Equal(1, ModelProbeChild.Run(broken.Path, output));
        Assert.Contains("no usable numbers", Last(output).Error, StringComparison.Ordinal);
    }

    private static ProbeLine Last(StringWriter output) =>
        ProbeLine.Parse(output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!;

    private static Action<InferenceOptions> Script(string script, TimeSpan? silence = null) => options =>
    {
        foreach (var word in new[] { "sh", "-c", script, "probe" })
        {
            options.ProbeCommand.Add(word);
        }

        options.ProbeSilence = silence ?? options.ProbeSilence;
    };

    private GgufModel Copy()
    {
        var path = Folder.File("model.gguf");
        File.Copy(TinyModel.SharedPath, path, overwrite: true);
        return GgufReader.ReadModel(path);
    }

    private ModelProbe Probe(string script, TimeSpan? silence = null)
    {
        Skip.If(OperatingSystem.IsWindows(), "The children are shell scripts.");
        return Probe(Script(script, silence));
    }

    private ModelProbe Probe(Action<InferenceOptions> configure) => Services(configure).GetRequiredService<ModelProbe>();

    private ServiceProvider Services(Action<InferenceOptions> configure)
    {
        var services = new ServiceCollection().AddOrchestratorInference(options =>
        {
            (options.ContextSize, options.MaxSequences, options.BatchSize) = (256, 2, 32);
            configure(options);
        });
        services.Configure<ModelStoreOptions>(options => options.Root = Folder.File("store"));
        var provider = services.BuildServiceProvider();
        _providers.Add(provider);
        return provider;
    }

    private sealed class Shares(List<float> shares) : IProgress<float>
    {
        public void Report(float value) => shares.Add(value);
    }
}
