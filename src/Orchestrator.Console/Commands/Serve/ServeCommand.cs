using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Server;

namespace Orchestrator.Console.Commands.Serve;

/// <summary><c>orchestrator serve</c>: the model over HTTP, for other programs on this machine.</summary>
internal sealed class ServeCommand : ConsoleCommand
{
    private readonly Option<string?> _model = GlobalOptions.Model();
    private readonly Option<bool> _yes = GlobalOptions.Yes();
    private readonly Option<string?> _url = new("--url") { Description = "Where to listen. Default: http://127.0.0.1:8642." };
    private readonly Option<string?> _token = new("--token") { Description = "What clients have to send. Default: one is made and shown." };
    private readonly Option<bool> _open = new("--open") { Description = "Serve without a token; only on a loopback address." };

    public ServeCommand()
        : base(
            "serve",
            "Serve the model by OpenAI's API on this machine.",
            "orchestrator serve --model ./SmolLM2-135M-Instruct.Q4_1.gguf",
            "orchestrator serve --url http://127.0.0.1:8000 --open",
            "curl -H \"Authorization: Bearer TOKEN\" http://127.0.0.1:8642/v1/models")
    {
        Add(_model);
        Add(_yes);
        Add(_url);
        Add(_token);
        Add(_open);
    }

    public override void Configure(ParseResult parse, HostApplicationBuilder builder) =>
        builder.AddModel(parse.GetValue(_model));

    public override async Task<int> ExecuteAsync(
        ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var options = services.GetRequiredService<IConfiguration>().GetSection(ServerOptions.Section).Get<ServerOptions>() ?? new ServerOptions();
        options.Url = parse.GetValue(_url) ?? options.Url;
        options.Token = parse.GetValue(_token) ?? options.Token;
        options.Open |= parse.GetValue(_open);
        var model = await services.LoadModelAsync(parse.GetValue(_model), parse.GetValue(_yes), cancellationToken);
        await using var server = await ModelServer.StartAsync(
            options, model.Chat, model.Embeddings, services.GetRequiredService<TimeProvider>(), cancellationToken);
        if (interaction.Json)
        {
            interaction.WriteJson(new { url = server.Url, token = server.Token, model = model.Engine.Model.Name });
        }
        else
        {
            interaction.MarkupLine($"[bold]{model.Engine.Model.Name}[/] at [link]{server.Url}/v1[/]");
            interaction.MarkupLine($"[grey]token:[/] {server.Token ?? "none is asked for"}");
            interaction.MarkupLine($"[grey]Ctrl-C stops.[/]");
        }

        try
        {
            await server.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how a server is stopped.
        }

        return ExitCodes.Ok;
    }
}
