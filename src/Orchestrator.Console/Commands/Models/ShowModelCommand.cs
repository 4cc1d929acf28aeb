using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Native;
using Orchestrator.Inference.Store;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model show</c>.</summary>
internal sealed class ShowModelCommand : ModelStoreCommand
{
    private readonly Argument<string?> _model = ModelArgument();
    private readonly Option<int?> _context = new("--context", "-c")
    {
        Description = "Show the memory that the model takes at a context of this many tokens.",
        HelpName = "TOKENS",
        Validators =
        {
            result =>
            {
                if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var tokens) && tokens < 1)
                {
                    result.AddError("--context must be at least 1.");
                }
            },
        },
    };

    public ShowModelCommand()
        : base(
            "show",
            "Show what a model is and the memory it takes, or what an adapter changes, without loading it.",
            "orchestrator model show smollm2-135m",
            "orchestrator model show ./model.gguf --context 8192 --json")
    {
        Add(_model);
        Add(_context);
    }

    public override Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var named = parse.GetValue(_model);
        var adapter = named is null ? null : services.GetRequiredService<ModelStore>().Find(named);
        var path = adapter?.Adapter is null ? services.FindModel(named) : adapter.Path;
        var model = GgufReader.ReadModel(path, cancellationToken);
        if (AdapterInfo.Of(model.Parts[0]) is { } info)
        {
            Write(interaction, AdapterCard.Of(model.Parts[0]), info);
            return Task.FromResult(ExitCodes.Ok);
        }

        var problems = GgufValidator.Check(model);
        var card = ModelCard.Of(model);
        var available = Hardware.Detect().AvailableMemory;
        var memory = Contexts(card, parse.GetValue(_context)).Select(context => card.MemoryAt(context)).ToList();
        var largest = card.LargestContext(available);
        var decisions = DecisionProfileFile.Read(model);
        if (interaction.Json)
        {
            interaction.WriteJson(new
            {
                card.Name,
                card.Architecture,
                card.Parameters,
                Quantization = card.Quantization.Select(share => new { Type = share.Type.ToString(), share.Tensors, share.Bytes }),
                card.Context,
                card.Layers,
                card.Width,
                card.Heads,
                card.KeyValueHeads,
                card.SlidingWindow,
                card.Experts,
                card.Vocabulary,
                card.TiedEmbeddings,
                card.ChatTemplate,
                card.Licence,
                card.Path,
                card.Parts,
                card.FileBytes,
                Memory = memory,
                AvailableMemory = available,
                LargestContext = largest,
                Decisions = decisions.Profile,
                DecisionsProblem = decisions.Problem,
                Problems = problems.Select(problem => problem.ToString()),
            });
        }
        else
        {
            Write(interaction, card, decisions, memory, available, largest);
        }

        // What the header says is shown of a broken file too; the error comes after it.
        GgufValidator.Validate(model);
        return Task.FromResult(ExitCodes.Ok);
    }

    private static void Write(IInteraction interaction, AdapterCard card, AdapterInfo info)
    {
        if (interaction.Json)
        {
            interaction.WriteJson(new
            {
                card.Name,
                card.Architecture,
                info.Base,
                card.Rank,
                card.Alpha,
                card.Targets,
                card.InvocationTokens,
                card.Path,
                FileBytes = card.Bytes,
            });
            return;
        }

        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        void Row(string name, string value) => grid.AddRow(new Text(name), new Text(Core.Text.TerminalText.Sanitize(value)));
        Row("adapter", card.Name);
        Row("for", info.Base is null ? $"a {card.Architecture} model" : $"{info.Base} ({card.Architecture})");
        Row("rank", Invariant($"{card.Rank}, alpha {card.Alpha}"));
        Row("changes", Invariant($"{card.Targets.Count} matrices: {string.Join(", ", card.Targets.Select(MatrixKind).Distinct())}"));
        Row("acts", card.InvocationTokens.Count == 0 ? "on all tokens" : $"from its invocation tokens on ({string.Join(' ', card.InvocationTokens)})");
        Row("file", $"{card.Path}, {ByteSize.Format(card.Bytes)}");
        interaction.Render(grid);
    }

    /// <summary>The kind of a matrix that each layer has: "attn_q" of "blk.3.attn_q.weight".</summary>
    private static string MatrixKind(string tensor) => tensor.Split('.') is [.., var kind, "weight"] ? kind : tensor;

    private static void Write(
        IInteraction interaction, ModelCard card, DecisionProfileReading decisions, IReadOnlyList<MemoryEstimate> memory, long available, int largest)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        void Row(string name, string value) => grid.AddRow(new Text(name), new Text(value));
        Row("name", Core.Text.TerminalText.Sanitize(card.Name));
        Row("architecture", Core.Text.TerminalText.Sanitize(card.Architecture) + (card.Experts > 0 ? $", {card.Experts} experts" : ""));
        Row("parameters", Count(card.Parameters));
        Row("stored as", string.Join(", ", card.Quantization.Select(share => $"{share.Type} {ByteSize.Format(share.Bytes)} ({share.Tensors})")));
        Row("context", Invariant($"{card.Context:N0} tokens") + (card.SlidingWindow is { } window ? Invariant($", sliding window of {window:N0}") : ""));
        Row("layers", Invariant($"{card.Layers}, width {card.Width:N0}, {card.Heads} heads, {card.KeyValueHeads} for keys and values"));
        Row("vocabulary", Invariant($"{card.Vocabulary:N0} tokens{(card.TiedEmbeddings ? ", tied embeddings" : "")}"));
        Row("chat template", card.ChatTemplate is null ? "none" : Invariant($"yes, {card.ChatTemplate.Length:N0} characters"));
        Row("licence", Core.Text.TerminalText.Sanitize(card.Licence ?? "not named"));
        Row("file", $"{card.Path}, {ByteSize.Format(card.FileBytes)}{(card.Parts > 1 ? $" in {card.Parts} parts" : "")}");
        Row("decisions", decisions.Problem ?? MeasurementView.Summary(decisions.Profile) ?? "by default, not measured: orchestrator model measure");
        interaction.Render(grid);
        interaction.WriteLine();

        var table = new Table().Border(TableBorder.Rounded)
            .AddColumns("context", "weights", "cache", "compute", "output", "memory", "fits");
        foreach (var estimate in memory)
        {
            table.AddRow(
                Invariant($"{estimate.Context:N0}"),
                ByteSize.Format(estimate.Weights),
                ByteSize.Format(estimate.Cache),
                ByteSize.Format(estimate.Compute),
                ByteSize.Format(estimate.Output),
                ByteSize.Format(estimate.Total),
                estimate.Total <= available ? "yes" : "no");
        }

        interaction.Render(table);
        interaction.WriteLine(Invariant(largest == card.Context
            ? $"{ByteSize.Format(available)} of memory are available: the whole context fits."
            : largest > 0
                ? $"{ByteSize.Format(available)} of memory are available: a context of {largest:N0} tokens fits."
                : (FormattableString)$"{ByteSize.Format(available)} of memory are available: the model doesn't fit."));
    }

    private static IEnumerable<int> Contexts(ModelCard card, int? asked) => asked is { } one
        ? [one]
        : new[] { 2048, 8192, 32_768, card.Context }.Where(context => context <= card.Context).Distinct();

    private static string Count(long parameters) => parameters switch
    {
        >= 1_000_000_000 => Invariant($"{parameters / 1e9:0.##} billion"),
        >= 1_000_000 => Invariant($"{parameters / 1e6:0.#} million"),
        _ => Invariant($"{parameters:N0}"),
    };

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
