using System.CommandLine;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Core.Text;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Store;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model</c>.</summary>
internal static class ModelCommands
{
    public static Command Create() => new CommandGroup(
        "model",
        "Fetch, inspect and check models.",
        new ListModelsCommand(),
        new PullModelCommand(),
        new ShowModelCommand(),
        new AddModelCommand(),
        new RemoveModelCommand(),
        new VerifyModelsCommand(),
        new ProbeModelCommand(),
        new MeasureModelCommand(),
        new TokenizeCommand(),
        new TemplateCommand(),
        new ScoreCommand());
}

/// <summary>A command that works on the model store.</summary>
internal abstract class ModelStoreCommand(string name, string description, params IReadOnlyList<string> examples)
    : ConsoleCommand(name, description, examples)
{
    public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddModelStore();

    /// <summary>A record in one line.</summary>
    protected static string Describe(ModelRecord record) =>
        $"{record.Name}: {ByteSize.Format(record.Bytes)} at {record.Path}"
        + (record.Adapter is { } adapter ? $", an adapter for {TerminalText.Sanitize(adapter.ToString())}" : "");

    public static Argument<string?> ModelArgument() => new("model")
    {
        Description = "A GGUF file, or a model's name in the store. Default: Orchestrator:Model in the settings.",
        HelpName = "PATH|NAME",
        Arity = ArgumentArity.ZeroOrOne,
    };
}

/// <summary>A model of the store as <c>--json</c> writes it.</summary>
internal sealed record StoredModelJson(
    string Name, string? Path, long Bytes, bool Here, string? Sha256, string? Source, string? Licence, int? Context, string? AdapterFor = null)
{
    public static StoredModelJson Of(ModelRecord record) => new(
        record.Name, record.Path, record.Bytes, record.Exists, record.Files[0].Sha256, record.Source, null, null, record.Adapter?.ToString());

    public static StoredModelJson Of(CatalogueEntry entry) => new(
        entry.Name, null, entry.Bytes, false, entry.Sha256, $"{entry.Repo}/{entry.File}", entry.Licence, entry.Context);
}
