using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using HandlebarsDotNet;
using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Prompts;

/// <summary>
/// Prompt templates in Handlebars. Values are data: they are rendered and never read as a template. Helpers besides
/// the built-in ones (<c>if</c>, <c>unless</c>, <c>each</c>, <c>with</c>, <c>lookup</c>): <c>json</c> writes a value
/// as JSON, <c>equals</c> compares two.
/// </summary>
public sealed class HandlebarsPromptTemplateFactory : IPromptTemplateFactory
{
    internal static readonly IReadOnlyList<string> Helpers =
        ["if", "unless", "each", "with", "lookup", "log", "json", "equals"];

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <inheritdoc/>
    public bool TryCreate(PromptTemplateConfig templateConfig, [NotNullWhen(true)] out IPromptTemplate? result)
    {
        ArgumentNullException.ThrowIfNull(templateConfig);
        result = templateConfig.TemplateFormat == PromptFormats.Handlebars ? new Template(templateConfig) : null;
        return result is not null;
    }

    private sealed class Template : IPromptTemplate
    {
        private readonly PromptTemplateConfig _config;
        private readonly HandlebarsTemplate<object, object> _render;

        public Template(PromptTemplateConfig config)
        {
            _config = config;

            // Encoding is done on the values, so that {{{name}}} can't get around it.
            var handlebars = HandlebarsDotNet.Handlebars.Create(new HandlebarsConfiguration { NoEscape = true });
            handlebars.RegisterHelper("json", (writer, _, arguments) =>
                writer.WriteSafeString(JsonSerializer.Serialize(arguments[0], Json)));
            handlebars.RegisterHelper("equals", (_, arguments) =>
                PromptValues.Text(arguments[0]) == PromptValues.Text(arguments[1]));
            _render = handlebars.Compile(config.Template);
        }

        public Task<string> RenderAsync(
            Kernel kernel, KernelArguments? arguments = null, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Task.FromResult(_render(PromptValues.Prepare(_config, arguments)));
        }
    }
}
