using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Console.Commands.Models;

/// <summary><c>orchestrator model template</c>.</summary>
internal sealed class TemplateCommand : ModelStoreCommand
{
    private readonly Option<string?> _model = GlobalOptions.Model();
    private readonly Option<string?> _file = new("--file", "-f")
    {
        Description = "Render this Jinja template in place of the model's own.",
        HelpName = "T.jinja",
    };

    private readonly Option<string> _messages = new("--messages")
    {
        Description = "A JSON object with messages, and perhaps tools, add_generation_prompt and any other variable of the template.",
        HelpName = "M.json",
        Required = true,
    };

    public TemplateCommand()
        : base(
            "template",
            "Render a chat template as Hugging Face's apply_chat_template does, and print the prompt.",
            "orchestrator model template --model smollm2-135m --messages messages.json",
            "orchestrator model template --file chat_template.jinja --messages messages.json --json")
    {
        Add(_model);
        Add(_file);
        Add(_messages);
    }

    public override async Task<int> ExecuteAsync(ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var root = services.GetRequiredService<RootFolder>();
        var variables = await ReadVariablesAsync(root.Resolve(parse.GetRequiredValue(_messages)), cancellationToken);
        var time = services.GetService<TimeProvider>();
        ChatTemplate template;
        if (parse.GetValue(_file) is { } file)
        {
            template = ChatTemplate.Parse(await ReadAsync(root.Resolve(file), cancellationToken), time: time);
        }
        else
        {
            template = ChatTemplate.Of(GgufReader.ReadModel(services.FindModel(parse.GetValue(_model)), cancellationToken), time: time);
        }

        var prompt = template.Render(variables, cancellationToken);
        if (interaction.Json)
        {
            interaction.WriteJson(new { Prompt = prompt });
        }
        else
        {
            interaction.Write(prompt);
        }

        return ExitCodes.Ok;
    }

    private static async Task<JsonObject> ReadVariablesAsync(string path, CancellationToken cancellationToken)
    {
        var text = await ReadAsync(path, cancellationToken);
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 512 });
        }
        catch (JsonException e)
        {
            throw new OrchestratorException(
                ErrorKind.Usage, $"{path} is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: {e.Message}", inner: e);
        }

        return node switch
        {
            JsonObject o when o["messages"] is JsonArray => o,
            JsonArray messages => new JsonObject { ["messages"] = messages },
            _ => throw new OrchestratorException(
                ErrorKind.Usage, $"{path} has no list of messages.", """Write {"messages": [{"role": "user", "content": "Hello"}], "add_generation_prompt": true}."""),
        };
    }

    private static async Task<string> ReadAsync(string path, CancellationToken cancellationToken)
    {
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
