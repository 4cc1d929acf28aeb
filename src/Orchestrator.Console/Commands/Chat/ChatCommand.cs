using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orchestrator.Console.Hosting;
using Orchestrator.Console.Terminal;
using Orchestrator.Core.Models;

namespace Orchestrator.Console.Commands.Chat;

/// <summary><c>orchestrator chat</c>: talk to the model, without a team.</summary>
internal sealed class ChatCommand : ConsoleCommand
{
    private const string HelpText = "/reset forgets the conversation · /system TEXT sets the instructions · /exit ends · Ctrl-C stops an answer";

    private readonly Argument<string?> _message = new("message")
    {
        Description = "One message to answer; without it, a conversation. '-' reads it from standard input.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _model = GlobalOptions.Model();
    private readonly Option<bool> _yes = GlobalOptions.Yes();
    private readonly Option<string?> _system = new("--system") { Description = "Instructions for the model." };
    private readonly Option<string?> _adapter = new("--adapter")
    {
        Description = "The adapter that its answers use: its name, or NAME*SCALE; several with ' + ' between them.",
        HelpName = "NAME",
    };

    private readonly Option<float> _temperature = new("--temperature")
    {
        Description = "0 is greedy, 1 is the model's own distribution.",
        DefaultValueFactory = _ => 0.7f,
    };

    private readonly Option<long?> _seed = new("--seed") { Description = "The same seed gives the same answer." };
    private readonly Option<int> _maxTokens = new("--max-tokens")
    {
        Description = "The longest answer, in tokens.",
        DefaultValueFactory = _ => 512,
    };

    public ChatCommand()
        : base(
            "chat",
            "Talk to the model.",
            "orchestrator chat --model ./SmolLM2-135M-Instruct.Q4_1.gguf",
            "orchestrator chat \"Why is the sky blue?\" --seed 7",
            "cat notes.txt | orchestrator chat - --system \"Summarise in three lines.\"")
    {
        Add(_message);
        Add(_model);
        Add(_yes);
        Add(_system);
        Add(_adapter);
        Add(_temperature);
        Add(_seed);
        Add(_maxTokens);
    }

    public override void Configure(ParseResult parse, HostApplicationBuilder builder) =>
        builder.AddModel(parse.GetValue(_model));

    public override async Task<int> ExecuteAsync(
        ParseResult parse, IServiceProvider services, CancellationToken cancellationToken)
    {
        var interaction = services.GetRequiredService<IInteraction>();
        var model = await services.LoadModelAsync(parse.GetValue(_model), parse.GetValue(_yes), cancellationToken);
        var options = new ChatOptions
        {
            Temperature = parse.GetValue(_temperature),
            Seed = parse.GetValue(_seed),
            MaxOutputTokens = parse.GetValue(_maxTokens),
        };
        if (parse.GetValue(_adapter) is { } adapter)
        {
            options = new ModelRequest { Adapters = AdapterUse.Parse(adapter) }.ApplyTo(options);
        }

        var conversation = new Conversation(model.Chat, options, interaction) { System = parse.GetValue(_system) };
        if (parse.GetValue(_message) is { } message)
        {
            await conversation.AnswerAsync(
                message == "-" ? await System.Console.In.ReadToEndAsync(cancellationToken) : message, cancellationToken);
            return ExitCodes.Ok;
        }

        if (interaction.Interactive)
        {
            interaction.MarkupLine($"[grey]{HelpText}[/]");
        }

        await ConverseAsync(conversation, interaction, services.GetRequiredService<InterruptHandler>(), cancellationToken);
        return ExitCodes.Ok;
    }

    private static async Task ConverseAsync(
        Conversation conversation, IInteraction interaction, InterruptHandler interrupts, CancellationToken cancellationToken)
    {
        while (await ReadAsync(interaction, cancellationToken) is { } line)
        {
            switch (line.Trim())
            {
                case "":
                    break;
                case "/exit":
                    return;
                case "/help":
                    interaction.WriteLine(HelpText);
                    break;
                case "/reset":
                    conversation.Reset();
                    break;
                case var text when text.StartsWith("/system ", StringComparison.Ordinal):
                    conversation.System = text["/system ".Length..];
                    break;
                default:
                    // Ctrl-C stops this answer; without one under way it ends the conversation.
                    using (var turn = interrupts.BeginTurn(cancellationToken))
                    {
                        try
                        {
                            await conversation.AnswerAsync(line, turn.Token);
                        }
                        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                        {
                            // What was written of it stands, and the next may be asked for.
                        }
                    }

                    break;
            }
        }
    }

    private static async Task<string?> ReadAsync(IInteraction interaction, CancellationToken cancellationToken)
    {
        try
        {
            // Reading blocks its thread; Ctrl-C at the prompt must not wait for it.
            return await Task.Run(() => interaction.ReadLine("> "), cancellationToken).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (interaction.Interactive)
        {
            interaction.WriteLine();
            throw;
        }
    }

    private sealed class Conversation(IChatClient client, ChatOptions options, IInteraction interaction)
    {
        private readonly List<ChatMessage> _messages = [];

        public string? System { get; set; }

        public void Reset() => _messages.Clear();

        public async Task AnswerAsync(string text, CancellationToken cancellationToken)
        {
            List<ChatMessage> prompt = System is { } system ? [new ChatMessage(ChatRole.System, system)] : [];
            var question = new ChatMessage(ChatRole.User, text);
            prompt.AddRange(_messages);
            prompt.Add(question);
            var response = await AskAsync(prompt, cancellationToken);
            var call = ModelCall.From(response);
            Report(response, call);
            _messages.Add(question);
            var answer = new ChatMessage(ChatRole.Assistant, response.Text);
            if (call?.AnswerTokenIds is { } ids)
            {
                ModelCall.SetTokenIds(answer, ids);
            }

            _messages.Add(answer);
        }

        private async Task<ChatResponse> AskAsync(List<ChatMessage> prompt, CancellationToken cancellationToken)
        {
            if (interaction.Json)
            {
                return await client.GetResponseAsync(prompt, options, cancellationToken);
            }

            // Where no terminal reads, a line stays a line.
            var lines = new StreamWrap(interaction, interaction.Live || interaction.Interactive ? interaction.Width : StreamWrap.Unlimited);
            var updates = new List<ChatResponseUpdate>();
            try
            {
                await foreach (var update in client.GetStreamingResponseAsync(prompt, options, cancellationToken))
                {
                    updates.Add(update);
                    lines.Append(update.Text);
                }
            }
            finally
            {
                lines.End();
            }

            return updates.ToChatResponse();
        }

        private void Report(ChatResponse response, ModelCall? call)
        {
            if (interaction.Json)
            {
                interaction.WriteJson(new { text = response.Text, finishReason = response.FinishReason?.Value, call });
                return;
            }

            if (call is null || !interaction.Interactive)
            {
                return;
            }

            var seconds = Math.Max(1e-6, (call.Duration - call.FirstToken).TotalSeconds);
            var cost = string.Create(
                CultureInfo.InvariantCulture,
                $"{call.TokenIds.Count} tokens · {(call.TokenIds.Count - 1) / seconds:0.0} tokens/s · first token {call.FirstToken.TotalSeconds:0.00} s · context {call.PromptTokens + call.TokenIds.Count} · KV reused {100 * (call.ReusedShare ?? 0):0} %");
            interaction.MarkupLine($"[grey]{cost}[/]");
        }
    }
}
