using System.Net;
using System.Xml;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Definitions;
using Orchestrator.Core;

namespace Orchestrator.Agents.Prompts;

/// <summary>
/// A prompt from a file. What is filled in is data: it is never read as a template, and it never begins a chat message
/// of its own unless the file allows it.
/// </summary>
public sealed class PromptTemplate
{
    private const string MessageTag = "<message";
    private static readonly Kernel NoKernel = new();

    private readonly PromptTemplateConfig _config;
    private readonly IPromptTemplate _verbatim;
    private readonly IPromptTemplate _encoded;

    internal PromptTemplate(PromptTemplateConfig config, string sourcePath, string sha256)
    {
        _config = config;
        SourcePath = sourcePath;
        Sha256 = sha256;
        _encoded = PromptFormats.Factory.Create(config);
        _verbatim = PromptFormats.Factory.Create(Verbatim(config));
    }

    /// <summary>The prompt's name.</summary>
    public string Name => _config.Name!;

    /// <summary>What it is for, or null.</summary>
    public string? Description => _config.Description;

    /// <summary>The template as written.</summary>
    public string Template => _config.Template;

    /// <summary>One of <see cref="PromptFormats"/>.</summary>
    public string Format => _config.TemplateFormat;

    /// <summary>The variables that it takes.</summary>
    public IReadOnlyList<InputVariable> Variables => [.. _config.InputVariables];

    /// <summary>Whether the template itself is written as chat messages.</summary>
    public bool HasMessages => Template.Contains(MessageTag, StringComparison.OrdinalIgnoreCase);

    /// <summary>The file that it was read from.</summary>
    public string SourcePath { get; }

    /// <summary>SHA-256 of the file, in lower-case hexadecimal; it is how a run's log names the version.</summary>
    public string Sha256 { get; }

    /// <summary>Fills in the values and gives the text, the values as they are.</summary>
    /// <param name="values">The values by variable: texts, numbers, truth values, lists, dictionaries, or objects.</param>
    /// <param name="kernel">Where the functions that the template calls are; null for none.</param>
    /// <param name="cancellationToken">Stops the rendering.</param>
    /// <returns>The text.</returns>
    /// <exception cref="OrchestratorException">A value is missing or belongs to no variable, or the template fails.</exception>
    public Task<string> RenderAsync(
        IReadOnlyDictionary<string, object?> values, Kernel? kernel = null, CancellationToken cancellationToken = default) =>
        RenderAsync(_verbatim, values, kernel, cancellationToken);

    /// <summary>Fills in the values and gives the chat messages that the template is written as, or one user message.</summary>
    /// <param name="values">The values by variable, as for the text.</param>
    /// <param name="kernel">Where the functions that the template calls are; null for none.</param>
    /// <param name="cancellationToken">Stops the rendering.</param>
    /// <returns>The messages.</returns>
    /// <exception cref="OrchestratorException">As for the text, or the messages are not well-formed.</exception>
    public async Task<IList<ChatMessage>> RenderMessagesAsync(
        IReadOnlyDictionary<string, object?> values, Kernel? kernel = null, CancellationToken cancellationToken = default)
    {
        if (!HasMessages)
        {
            return [new ChatMessage(ChatRole.User, await RenderAsync(values, kernel, cancellationToken).ConfigureAwait(false))];
        }

        var text = await RenderAsync(_encoded, values, kernel, cancellationToken).ConfigureAwait(false);
        try
        {
            var document = new XmlDocument { XmlResolver = null, PreserveWhitespace = true };
            document.LoadXml($"<prompt>{text}</prompt>");
            return [.. document.DocumentElement!.ChildNodes.OfType<XmlElement>()
                .Where(e => e.Name == "message")
                .Select(e => new ChatMessage(new ChatRole(e.GetAttribute("role")), e.InnerText.Trim()))];
        }
        catch (XmlException e)
        {
            throw Failure($"its messages are not well-formed: {e.Message}", e);
        }
    }

    /// <summary>The prompt as a function that Semantic Kernel invokes with the kernel's chat client.</summary>
    /// <returns>A function of the prompt's variables.</returns>
    public KernelFunction CreateFunction() =>
        KernelFunctionFactory.CreateFromPrompt(new FunctionTemplate(this), _config);

    private async Task<string> RenderAsync(
        IPromptTemplate template,
        IReadOnlyDictionary<string, object?> values,
        Kernel? kernel,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(values);
        Check(values);
        var arguments = new KernelArguments();
        foreach (var (name, value) in _config.InputVariables
            .Select(v => KeyValuePair.Create(v.Name, values.GetValueOrDefault(v.Name) ?? v.Default)))
        {
            arguments[name] = Format == PromptFormats.SemanticKernel
                ? PromptValues.Text(PromptValues.Plain(value, encode: false))
                : value;
        }

        try
        {
            return await template.RenderAsync(kernel ?? NoKernel, arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException and not OrchestratorException)
        {
            throw Failure(e.Message, e);
        }
    }

    internal void Check(IReadOnlyDictionary<string, object?> values)
    {
        string[] known = [.. _config.InputVariables.Select(v => v.Name)];
        if (values.Keys.FirstOrDefault(k => !known.Contains(k)) is { } unknown)
        {
            throw Failure($"it has no variable '{unknown}'{Spelling.Hint(unknown, known)}");
        }

        string[] missing = [.. _config.InputVariables
            .Where(v => v.IsRequired && v.Default is null && !values.ContainsKey(v.Name))
            .Select(v => $"'{v.Name}'")];
        if (missing.Length > 0)
        {
            throw Failure($"it needs a value for {string.Join(", ", missing)}");
        }
    }

    private OrchestratorException Failure(string what, Exception? inner = null) => new(
        ErrorKind.Configuration,
        Spelling.Sentence($"The prompt '{Name}' ({SourcePath}) can't be rendered: {what}"),
        $"Run `orchestrator prompt show {Name}` to see its variables.",
        inner);

    private static PromptTemplateConfig Verbatim(PromptTemplateConfig config) => new(config.Template)
    {
        Name = config.Name,
        TemplateFormat = config.TemplateFormat,
        AllowDangerouslySetContent = true,
        InputVariables = [.. config.InputVariables.Select(v => new InputVariable(v) { AllowDangerouslySetContent = true })],
    };

    /// <summary>
    /// Semantic Kernel reads a rendered prompt as chat messages where it finds a message tag in it, and sends encoded
    /// values as they are where it doesn't. So a template without messages is handed over as one message, encoded as a
    /// whole: its text arrives exactly, and no value can begin a message.
    /// </summary>
    private sealed class FunctionTemplate(PromptTemplate prompt) : IPromptTemplate
    {
        public async Task<string> RenderAsync(
            Kernel kernel, KernelArguments? arguments = null, CancellationToken cancellationToken = default)
        {
            var values = (arguments ?? []).ToDictionary(a => a.Key, a => a.Value);
            if (prompt.HasMessages)
            {
                return await prompt.RenderAsync(prompt._encoded, values, kernel, cancellationToken).ConfigureAwait(false);
            }

            var text = await prompt.RenderAsync(values, kernel, cancellationToken).ConfigureAwait(false);
            return $"<message role=\"user\">{WebUtility.HtmlEncode(text)}</message>";
        }
    }
}
