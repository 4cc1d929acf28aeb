using System.CommandLine;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Agents.Prompts;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Core;
using Orchestrator.Core.Text;
using Spectre.Console;

namespace Orchestrator.Console.Commands.Prompts;

/// <summary><c>orchestrator prompt</c>.</summary>
internal static class PromptCommands
{
    public static Command Create() => new CommandGroup(
        "prompt", "Look at prompts and fill them in.", new ListCommand(), new ShowCommand(), new RenderCommand());

    private static Argument<string> NameArgument => new("name") { Description = "The prompt's name, or its file." };

    private static PromptTemplate Find(IServiceProvider services, string name) => name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase)
        ? PromptLibrary.ReadFile(services.GetRequiredService<RootFolder>().Resolve(name))
        : services.GetRequiredService<PromptLibrary>().Get(name);

    private sealed class ListCommand() : ConsoleCommand(
        "list", "List the prompts.", "orchestrator prompt list", "orchestrator prompt list --json")
    {
        public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddAgents();

        public override Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var library = services.GetRequiredService<PromptLibrary>();
            var table = new Table().Border(TableBorder.Rounded).AddColumns("prompt", "format", "variables", "description");
            foreach (var prompt in library.All)
            {
                string[] variables = [.. prompt.Variables.Select(v => v.Name)];
                if (interaction.Json)
                {
                    interaction.WriteJson(new { prompt.Name, prompt.Format, variables, prompt.Description, prompt.Sha256, File = prompt.SourcePath });
                }

                table.AddRow(
                    new Text(prompt.Name),
                    new Text(prompt.Format),
                    new Text(string.Join(", ", variables)),
                    new Text(TerminalText.Sanitize(prompt.Description ?? "")));
            }

            if (!interaction.Json)
            {
                interaction.Render(table);
            }

            foreach (var error in library.Errors)
            {
                interaction.Error(error.ToString());
            }

            return Task.FromResult(library.Errors.Count == 0 ? ExitCodes.Ok : ExitCodes.Configuration);
        }
    }

    private sealed class ShowCommand : ConsoleCommand
    {
        private readonly Argument<string> _name = NameArgument;

        public ShowCommand()
            : base("show", "Show a prompt's template and variables.", "orchestrator prompt show concise") => Add(_name);

        public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddAgents();

        public override Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var prompt = Find(services, parse.GetRequiredValue(_name));
            if (interaction.Json)
            {
                interaction.WriteJson(new
                {
                    prompt.Name,
                    prompt.Format,
                    prompt.Description,
                    prompt.Sha256,
                    File = prompt.SourcePath,
                    Variables = prompt.Variables.Select(v => new { v.Name, v.Description, v.IsRequired, v.Default }),
                    prompt.Template,
                });
                return Task.FromResult(ExitCodes.Ok);
            }

            interaction.MarkupLine($"[bold]{prompt.Name}[/] [grey]{prompt.Format}, {prompt.SourcePath}, sha256 {prompt.Sha256[..12]}[/]");
            if (prompt.Description is { } description)
            {
                interaction.WriteLine(description);
            }

            foreach (var variable in prompt.Variables)
            {
                var about = variable.Default is { } value ? $"default {value}" : variable.IsRequired ? "required" : "may be left out";
                interaction.MarkupLine($"  [blue]{variable.Name}[/] [grey]({about})[/] {variable.Description}");
            }

            interaction.WriteLine();
            interaction.WriteLine(prompt.Template);
            return Task.FromResult(ExitCodes.Ok);
        }
    }

    private sealed class RenderCommand : ConsoleCommand
    {
        private readonly Argument<string> _name = NameArgument;
        private readonly Option<string[]> _values = new("--var")
        {
            Description = "A value, as NAME=VALUE; NAME=@FILE takes a file's text. A list or object is written as JSON.",
            HelpName = "NAME=VALUE",
            DefaultValueFactory = _ => [],
        };

        private readonly Option<bool> _messages = new("--messages") { Description = "Show the chat messages that the prompt makes." };

        public RenderCommand()
            : base(
                "render",
                "Fill a prompt in and print it.",
                "orchestrator prompt render concise --var name=ada --var role=analyst --var description=\"Reads logs.\"",
                "orchestrator prompt render prompts/mine.yaml --var notes=@notes.txt --var 'items=[\"a\",\"b\"]'")
        {
            Add(_name);
            Add(_values);
            Add(_messages);
        }

        public override void Configure(ParseResult parse, HostApplicationBuilder builder) => builder.AddAgents();

        public override async Task<int> ExecuteAsync(
            ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
        {
            var interaction = services.GetRequiredService<IInteraction>();
            var prompt = Find(services, parse.GetRequiredValue(_name));
            var values = parse.GetRequiredValue(_values)
                .Select(v => Read(v, services.GetRequiredService<RootFolder>()))
                .GroupBy(v => v.Key)
                .ToDictionary(v => v.Key, v => v.Last().Value);
            if (parse.GetValue(_messages) || interaction.Json)
            {
                foreach (var message in await prompt.RenderMessagesAsync(values, cancellationToken: cancellationToken))
                {
                    Write(interaction, message);
                }

                return ExitCodes.Ok;
            }

            interaction.WriteLine(await prompt.RenderAsync(values, cancellationToken: cancellationToken));
            return ExitCodes.Ok;
        }

        private static void Write(IInteraction interaction, ChatMessage message)
        {
            if (interaction.Json)
            {
                interaction.WriteJson(new { role = message.Role.Value, text = message.Text });
                return;
            }

            interaction.MarkupLine($"[bold]{message.Role.Value}[/]");
            interaction.WriteLine(message.Text);
        }

        private static KeyValuePair<string, object?> Read(string pair, RootFolder root)
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new OrchestratorException(ErrorKind.Usage, $"'{pair}' is no value.", "Write --var NAME=VALUE.");
            }

            var (name, text) = (pair[..equals], pair[(equals + 1)..]);
            if (text.StartsWith('@'))
            {
                var file = root.Resolve(text[1..]);
                return new(name, File.Exists(file) ? File.ReadAllText(file) : throw new OrchestratorException(
                    ErrorKind.Usage, $"There is no file {file}.", $"Write --var {name}=@FILE with a file that exists."));
            }

            return new(name, text.StartsWith('[') || text.StartsWith('{') ? Json(text) : text);
        }

        private static object Json(string text)
        {
            try
            {
                return JsonNode.Parse(text)!;
            }
            catch (System.Text.Json.JsonException)
            {
                // A text that begins with a bracket is a text all the same.
                return text;
            }
        }
    }
}
