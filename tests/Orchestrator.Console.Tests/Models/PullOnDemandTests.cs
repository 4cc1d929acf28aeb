using System.CommandLine;
using Orchestrator.Console.Commands;
using Orchestrator.Console.Commands.Chat;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Tests.Terminal;
using Orchestrator.Inference.Store;
using Orchestrator.Inference.Tests.Store;
using Orchestrator.Testing.Models;

namespace Orchestrator.Console.Tests.Models;

/// <summary>A command that finds no model offers to pull one from a hub, which here loses the first connection.</summary>
public sealed class PullOnDemandTests : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("orchestrator-").FullName;
    private readonly byte[] _model = File.ReadAllBytes(TinyModel.SharedPath);
    private HubServer Hub { get; set; } = null!;

    public Task InitializeAsync()
    {
        var first = true;
        Hub = new HubServer(request =>
        {
            var reply = HubReply.File(request, _model) with { DropAfter = first ? _model.Length / 2 : null };
            first = false;
            return reply;
        });
        File.WriteAllText(Path.Combine(_root, "appsettings.json"), $$"""
            {"Orchestrator": {"ContextSize": 512, "MaxSequences": 4, "BatchSize": 64,
              "Models": {"Root": "store", "CataloguePath": "models.json", "Endpoint": "{{Hub.Address}}", "RetryDelay": "00:00:00.001"} } }
            """);
        File.WriteAllText(Path.Combine(_root, "models.json"), $$"""
            {"version": 1, "models": [
              {"name": "tiny", "title": "Tiny One", "repo": "acme/tiny-GGUF", "file": "tiny.gguf", "bytes": {{_model.Length}}, "sha256": null, "licence": "mit", "context": 2048, "default": true},
              {"name": "other", "title": "Another", "repo": "acme/tiny-GGUF", "file": "other.gguf", "bytes": {{_model.Length}}, "sha256": null, "licence": "mit", "context": 2048}]}
            """);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await Hub.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData("y")]
    [InlineData(" Yes ")]
    public async Task A_yes_pulls_the_model_and_goes_on(string answer)
    {
        var interaction = new ScriptedInteraction(answer) { Interactive = true, Live = true };

        Assert.Equal(ExitCodes.Ok, await ChatAsync(interaction));
        Assert.Contains("There is no model on this machine. Tiny One can be pulled: ", interaction.Shown, StringComparison.Ordinal);
        Assert.Contains("licence mit", interaction.Shown, StringComparison.Ordinal);
        Assert.Contains("Pull tiny now? [y/N]", interaction.Shown, StringComparison.Ordinal);
        Assert.Contains("trying again", interaction.Shown, StringComparison.Ordinal);
        Assert.Contains("loading the model: 1 of 1", interaction.Shown, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_root, "store", "acme", "tiny-GGUF", "tiny.gguf")));

        var again = new ScriptedInteraction() { Interactive = true, Live = true };
        Assert.Equal(ExitCodes.Ok, await ChatAsync(again));
        Assert.DoesNotContain("Pull", again.Shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n")]
    [InlineData("")]
    [InlineData(null)]
    public async Task Anything_else_ends_with_the_error_that_names_the_command(string? answer)
    {
        var interaction = new ScriptedInteraction(answer is null ? [] : [answer]) { Interactive = true };

        var error = await Assert.ThrowsAsync<ModelMissingException>(() => ChatAsync(interaction));
        Assert.Contains("orchestrator model pull tiny", error.Remedy, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Model, ExitCodes.Of(error));
        Assert.Empty(Hub.Requests);
    }

    [Fact]
    public async Task A_model_that_is_named_is_the_one_that_is_offered()
    {
        var interaction = new ScriptedInteraction("y") { Interactive = true };

        Assert.Equal(ExitCodes.Ok, await ChatAsync(interaction, "--model", "OTHER"));
        Assert.Contains("Pull other now?", interaction.Shown, StringComparison.Ordinal);
        Assert.All(Hub.Requests, request => Assert.EndsWith("other.gguf", request.Path, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nobody_is_asked_with_yes()
    {
        var interaction = new ScriptedInteraction();

        Assert.Equal(ExitCodes.Ok, await ChatAsync(interaction, "--yes"));
        Assert.DoesNotContain("[y/N]", interaction.Shown, StringComparison.Ordinal);
        Assert.Contains("Tiny One can be pulled", interaction.Shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nobody_can_be_asked_it_is_an_error_and_nothing_is_fetched()
    {
        await Assert.ThrowsAsync<ModelMissingException>(() => ChatAsync(new ScriptedInteraction()));
        await Assert.ThrowsAsync<ModelMissingException>(() => ChatAsync(new ScriptedInteraction("y") { Interactive = true }, "--model", "unheard-of"));
        Assert.Empty(Hub.Requests);
    }

    private async Task<int> ChatAsync(ScriptedInteraction interaction, params string[] arguments)
    {
        var command = new ChatCommand();
        var root = new RootCommand { GlobalOptions.Json, GlobalOptions.NoColor, GlobalOptions.Verbose, GlobalOptions.Root, command };
        var parse = root.Parse(["chat", "Hello", "--max-tokens", "3", "--root", _root, .. arguments]);
        Assert.Empty(parse.Errors);
        using var host = ConsoleHost.Build(command, parse, interaction);
        return await command.ExecuteAsync(parse, host.Services, CancellationToken.None);
    }
}
