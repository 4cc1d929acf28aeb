using System.CommandLine;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Console.Commands.Models;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Core;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Constraints.Suites;
using Orchestrator.Inference.Drivers;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Schemas;

/// <summary><c>orchestrator schema check</c>.</summary>
internal sealed class CheckSchemaCommand : ModelStoreCommand
{
    private readonly Option<string?> _schema = new("--schema") { Description = "A JSON schema: a file, or the schema itself.", HelpName = "FILE" };
    private readonly Option<string?> _regex = new("--regex") { Description = "A regular expression that a line must match as a whole.", HelpName = "PATTERN" };
    private readonly Option<string?> _gbnf = new("--gbnf") { Description = "A grammar in llama.cpp's GBNF: a file, or the grammar itself.", HelpName = "FILE" };
    private readonly Option<string?> _suite = new("--suite") { Description = "A suite: JSON lines with file, schema and tests (valid, data).", HelpName = "FILE" };
    private readonly Option<string?> _model = new("--model", "-m") { Description = "With --suite: the model whose vocabulary is used.", HelpName = "PATH|NAME" };

    public CheckSchemaCommand()
        : base(
            "check",
            "Read one candidate a line from standard input, and say for each whether it is accepted, or where it is rejected. Or run a suite of schemas.",
            "echo '{\"name\": \"Ada\"}' | orchestrator schema check --schema person.json",
            "echo 2026-02-29 | orchestrator schema check --regex '\\d{4}-\\d{2}-\\d{2}'",
            "orchestrator schema check --suite schemas.jsonl --model smollm2-135m --json")
    {
        Add(_schema);
        Add(_regex);
        Add(_gbnf);
        Add(_suite);
        Add(_model);
        Validators.Add(result =>
        {
            if (new Option[] { _schema, _regex, _gbnf, _suite }.Count(option => result.GetResult(option) is not null) != 1)
            {
                result.AddError("Give one of --schema, --regex, --gbnf and --suite.");
            }
        });
    }

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        if (parse.GetValue(_suite) is { } suite)
        {
            return await RunSuiteAsync(services, suite, parse.GetValue(_model), cancellationToken);
        }

        ConstraintDefinition definition = parse.GetValue(_schema) is { } schema
            ? new ConstraintDefinition.JsonSchema(await ReadAsync(services, schema, '{', cancellationToken), JsonConstraintOptions.Validation)
            : parse.GetValue(_gbnf) is { } gbnf
                ? new ConstraintDefinition.Gbnf(await ReadAsync(services, gbnf, '=', cancellationToken))
                : new ConstraintDefinition.Regex(parse.GetValue(_regex)!);
        var constraint = new ConstraintCompiler(new ByteVocabulary()).Compile(definition);
        var interaction = services.GetRequiredService<IInteraction>();
        while (await System.Console.In.ReadLineAsync(cancellationToken) is { } line)
        {
            var (accepted, position) = Check(constraint, Encoding.UTF8.GetBytes(line));
            if (interaction.Json)
            {
                interaction.WriteJson(new { Accepted = accepted, Position = accepted ? null : position, Text = line });
            }
            else
            {
                interaction.WriteLine(accepted ? $"accepted  {line}"
                    : position == Encoding.UTF8.GetByteCount(line) ? $"rejected at its end (byte {position}), where more must follow  {line}"
                    : $"rejected at byte {position}  {line}");
            }
        }

        return ExitCodes.Ok;
    }

    /// <summary>Whether a text is accepted; otherwise the first byte that isn't allowed, or the length where it ends too early.</summary>
    private static (bool Accepted, int? Position) Check(ITokenConstraint constraint, byte[] text)
    {
        var matcher = constraint.Start();
        for (var i = 0; i < text.Length; i++)
        {
            if (!matcher.TryAcceptBytes(text.AsSpan(i, 1)))
            {
                return (false, i);
            }
        }

        return (matcher.CanEnd, text.Length);
    }

    private static async Task<string> ReadAsync(IServiceProvider services, string value, char sign, CancellationToken cancellationToken)
    {
        var path = value.Contains('\n', StringComparison.Ordinal) ? null : services.GetRequiredService<RootFolder>().Resolve(value);
        return path is not null && File.Exists(path) ? await File.ReadAllTextAsync(path, cancellationToken)
            : value.Contains(sign, StringComparison.Ordinal) ? value
            : throw new OrchestratorException(ErrorKind.Configuration, $"There is no file {path ?? value}.", "Name one that is there, or write the schema or grammar itself in its place.");
    }

    private static async Task<int> RunSuiteAsync(IServiceProvider services, string file, string? model, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var path = services.GetRequiredService<RootFolder>().Resolve(file);
        if (!File.Exists(path))
        {
            throw new OrchestratorException(ErrorKind.Configuration, $"There is no file {path}.", "Name a suite that is there.");
        }

        using var vocabulary = LlamaVocabulary.Open(services.FindModel(model), services.GetRequiredService<ILoggerFactory>().CreateLogger("llama.cpp"), cancellationToken);
        var tokenizer = vocabulary.Tokenizer;
        var suite = new ConstraintSuite(new ConstraintCompiler(tokenizer), text => tokenizer.Tokenize(text, false));
        var results = new List<SuiteResult>();
        await foreach (var line in File.ReadLinesAsync(path, cancellationToken))
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            try
            {
                results.Add(suite.Run(line));
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException)
            {
                throw new OrchestratorException(
                    ErrorKind.Configuration,
                    $"Schema {results.Count + 1} of {path} is no line of a suite: {error.Message}",
                    "A line is a JSON object with file, schema and tests; correct it.");
            }
        }

        var summary = SuiteSummary.Of(results);
        if (interaction.Json)
        {
            interaction.WriteJson(summary);
            return ExitCodes.Ok;
        }

        foreach (var result in results.Where(result => result.Outcome is SuiteOutcome.WronglyAccepted or SuiteOutcome.WronglyRejected or SuiteOutcome.RejectedForOrder))
        {
            interaction.WriteLine($"{result.Outcome}: {result.File}: {result.Detail}");
        }

        Print(interaction, summary);
        return ExitCodes.Ok;
    }

    private static void Print(IInteraction interaction, SuiteSummary summary)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("schemas", "number", "share");
        foreach (var (name, count) in (ReadOnlySpan<(string, int)>)[("passing", summary.Passing), ("unsupported", summary.Unsupported), ("rejected for property order alone", summary.RejectedForOrder), ("wrongly rejected", summary.WronglyRejected), ("wrongly accepted", summary.WronglyAccepted)])
        {
            table.AddRow(new Text(name), new Text($"{count}"), new Text($"{100.0 * count / Math.Max(1, summary.Schemas):F2} %"));
        }

        interaction.Render(table);
        foreach (var (keyword, count) in summary.UnsupportedKeywords)
        {
            interaction.WriteLine($"unsupported {keyword}: {count}");
        }

        interaction.WriteLine($"compile µs: {summary.Compile}");
        interaction.WriteLine($"mask µs: {summary.Mask}");
    }
}
