using System.CommandLine;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Inference.Drivers;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model tokenize</c>.</summary>
internal sealed class TokenizeCommand : ModelStoreCommand
{
    private readonly Argument<string> _model = new("model") { Description = "A GGUF file, or a model's name in the store.", HelpName = "PATH|NAME" };
    private readonly Argument<string?> _text = new("text")
    {
        Description = "The text. Default: standard input.",
        HelpName = "TEXT",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _special = new("--special") { Description = "Read the texts of control tokens, such as <|im_end|>, as these tokens." };

    public TokenizeCommand()
        : base(
            "tokenize",
            "Show the tokens that a text becomes.",
            "orchestrator model tokenize smollm2-135m \"Hello, team\"",
            "cat prompt.txt | orchestrator model tokenize ./model.gguf --special --json")
    {
        Add(_model);
        Add(_text);
        Add(_special);
    }

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var path = services.FindModel(parse.GetRequiredValue(_model));
        var text = parse.GetValue(_text) ?? await System.Console.In.ReadToEndAsync(cancellationToken);
        using var vocabulary = LlamaVocabulary.Open(path, services.GetRequiredService<ILoggerFactory>().CreateLogger("llama.cpp"), cancellationToken);
        var tokenizer = vocabulary.Tokenizer;
        var ids = tokenizer.Tokenize(text, parse.GetValue(_special));
        if (interaction.Json)
        {
            interaction.WriteJson(new
            {
                Count = ids.Length,
                Ids = ids,
                Pieces = ids.Select(id => Encoding.UTF8.GetString(tokenizer.GetBytes(id))),
                Special = ids.Select(tokenizer.IsSpecial),
            });
            return ExitCodes.Ok;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("id", "text");
        foreach (var id in ids)
        {
            table.AddRow(new Text(id.ToString(CultureInfo.InvariantCulture)), new Text(tokenizer.IsSpecial(id) ? "(control token)" : Visible(tokenizer.GetBytes(id))));
        }

        interaction.Render(table);
        interaction.WriteLine($"{ids.Length} tokens, {Encoding.UTF8.GetByteCount(text)} bytes");
        return ExitCodes.Ok;
    }

    /// <summary>A token's text with what can't be seen, and bytes that are part of a character only, written out.</summary>
    private static string Visible(ReadOnlySpan<byte> bytes)
    {
        var visible = new StringBuilder();
        while (bytes.Length > 0)
        {
            var status = Rune.DecodeFromUtf8(bytes, out var rune, out var length);
            visible.Append(status != System.Buffers.OperationStatus.Done
                ? $"<{Convert.ToHexString(bytes[..length])}>"
                : rune.Value switch
                {
                    ' ' => "·",
                    '\n' => "⏎",
                    '\t' => "⇥",
                    _ when Rune.IsControl(rune) => $"<{rune.Value:X2}>",
                    _ => rune.ToString(),
                });
            bytes = bytes[length..];
        }

        return visible.ToString();
    }
}
