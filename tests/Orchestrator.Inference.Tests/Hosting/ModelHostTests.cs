using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Inference.Hosting;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Hosting;

/// <summary>One process holds several models when asked.</summary>
public sealed class ModelHostTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Two_models_serve_at_once_and_each_answers_as_it_does_alone()
    {
        string[] paths =
        [
            TinyModel.Create(_folder.File("one.gguf"), new TinyModelOptions { Seed = 1 }),
            TinyModel.Create(_folder.File("two.gguf"), new TinyModelOptions { Seed = 2 }),
        ];
        var alone = new List<string>();
        foreach (var path in paths)
        {
            await using var services = Services();
            alone.Add(await AnswerAsync(await services.GetRequiredService<ModelHost>().LoadAsync(path), "Who begins?"));
        }

        await using var both = Services();
        var host = both.GetRequiredService<ModelHost>();
        var models = await Task.WhenAll(paths.Select(p => host.LoadAsync(p)));
        var answers = await Task.WhenAll(models.SelectMany(m => Enumerable.Repeat(m, 4)).Select(m => AnswerAsync(m, "Who begins?")));

        Assert.NotSame(models[0].Engine, models[1].Engine);
        Assert.Same(models[0], await host.LoadAsync(paths[0]));
        Assert.All(answers[..4], a => Assert.Equal(alone[0], a));
        Assert.All(answers[4..], a => Assert.Equal(alone[1], a));
        Assert.NotEqual(alone[0], alone[1]);
    }

    [Theory]
    [InlineData(64, 512, 31)]
    [InlineData(512, 64, 64)]
    public async Task A_model_with_a_sliding_window_is_served_with_a_short_context_or_batch(int context, int batch, int sequences)
    {
        await using var services = Services(o => (o.ContextSize, o.BatchSize) = (context, batch));
        var model = await services.GetRequiredService<ModelHost>().LoadAsync(TinyModel.SharedPathOf(TinyArchitecture.SlidingWindow));
        Assert.Equal(sequences, model.Engine.Model.MaxSequences);
        Assert.NotNull(await AnswerAsync(model, "Who?"));
    }

    [Fact]
    public async Task A_state_folder_that_is_not_absolute_is_refused_at_the_start()
    {
        await using var services = Services(o => o.StateFolder = "states");
        var error = await Assert.ThrowsAnyAsync<Exception>(() => services.GetRequiredService<ModelHost>().LoadAsync(TinyModel.SharedPath));
        Assert.Contains("absolute path", error.Message, StringComparison.Ordinal);
    }

    private ServiceProvider Services(Action<InferenceOptions>? configure = null) => new ServiceCollection()
        .AddOrchestratorInference(o =>
        {
            (o.Threads, o.ContextSize, o.ProbeUnknownModels) = (1, 512, false);
            configure?.Invoke(o);
        })
        .BuildServiceProvider();

    private static async Task<string> AnswerAsync(LoadedModel model, string text) =>
        (await model.Chat.GetResponseAsync(text, new ChatOptions { Temperature = 0, MaxOutputTokens = 3 })).Text;
}
