using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Core;
using Orchestrator.Core.Models;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model score</c>.</summary>
internal sealed class ScoreCommand : ConsoleCommand
{
    private readonly Argument<string?> _file = new("file")
    {
        Description = "A text file. Default: standard input.",
        HelpName = "FILE",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _model = GlobalOptions.Model();
    private readonly Option<int?> _window = new("--window")
    {
        Description = "Tokens that a prediction sees at most. Default: what the model's context holds.",
        HelpName = "TOKENS",
    };

    private readonly Option<int?> _stride = new("--stride")
    {
        Description = "How far the window moves in a longer text. Default: half a window.",
        HelpName = "TOKENS",
    };

    private readonly Option<bool> _tokens = new("--tokens") { Description = "With --json: each token with its log-probability." };

    public ScoreCommand()
        : base(
            "score",
            "Show how likely a text is under a model: log-likelihood and perplexity.",
            "orchestrator model score article.txt --model smollm2-135m --json",
            "orchestrator model score novel.txt --window 2048 --stride 512")
    {
        Add(_file);
        Add(_model);
        Add(_window);
        Add(_stride);
        Add(_tokens);
    }

    public override void Configure(ParseResult parse, HostApplicationBuilder builder) =>
        builder.AddModel(parse.GetValue(_model));

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var text = await ReadAsync(services, parse.GetValue(_file), cancellationToken);
        var model = await services.LoadModelAsync(parse.GetValue(_model), pull: false, cancellationToken);
        var options = new TextScoreOptions
        {
            Window = parse.GetValue(_window),
            Stride = parse.GetValue(_stride),
            PerToken = interaction.Json && parse.GetValue(_tokens),
        };
        TextScore score;
        try
        {
            score = await ((ITextScorer)model.Chat.GetService(typeof(ITextScorer))!).ScoreAsync(text, options, cancellationToken);
        }
        catch (ArgumentException e)
        {
            throw new OrchestratorException(ErrorKind.Usage, e.Message.Split(" (Parameter", 2)[0], "Check the text, --window and --stride.", e);
        }

        if (interaction.Json)
        {
            interaction.WriteJson(new
            {
                score.LogLikelihood,
                score.Tokens,
                score.Perplexity,
                score.Window,
                score.Stride,
                score.Windows,
                score.PerToken,
            });
            return ExitCodes.Ok;
        }

        interaction.WriteLine(string.Create(CultureInfo.InvariantCulture, $"log-likelihood  {score.LogLikelihood:F3} nats"));
        interaction.WriteLine(string.Create(CultureInfo.InvariantCulture, $"tokens          {score.Tokens:N0}"));
        interaction.WriteLine(string.Create(CultureInfo.InvariantCulture, $"perplexity      {score.Perplexity:F3}"));
        if (score.Windows > 1)
        {
            interaction.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"windows         {score.Windows} of {score.Window:N0} tokens, {score.Stride:N0} apart"));
        }

        return ExitCodes.Ok;
    }

    private static async Task<string> ReadAsync(IServiceProvider services, string? file, CancellationToken cancellationToken)
    {
        if (file is null)
        {
            return await System.Console.In.ReadToEndAsync(cancellationToken);
        }

        var path = services.GetRequiredService<RootFolder>().Resolve(file);
        try
        {
            return await File.ReadAllTextAsync(path, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OrchestratorException(ErrorKind.Usage, $"{path} can't be read: {e.Message}", "Check the path; it is relative to --root.", e);
        }
    }
}
