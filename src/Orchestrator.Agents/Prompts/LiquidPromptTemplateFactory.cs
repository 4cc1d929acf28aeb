using System.Diagnostics.CodeAnalysis;
using Fluid;
using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Prompts;

/// <summary>
/// Prompt templates in Liquid. Values are data: they are rendered and never read as a template. A template that runs
/// away is stopped.
/// </summary>
public sealed class LiquidPromptTemplateFactory : IPromptTemplateFactory
{
    internal static readonly FluidParser Parser = new();

    // A prompt that needs more steps than this loops over something it should not.
    private static readonly Fluid.TemplateOptions Options = new() { MaxSteps = 1_000_000, MaxRecursion = 50 };

    /// <inheritdoc/>
    public bool TryCreate(PromptTemplateConfig templateConfig, [NotNullWhen(true)] out IPromptTemplate? result)
    {
        ArgumentNullException.ThrowIfNull(templateConfig);
        result = templateConfig.TemplateFormat == PromptFormats.Liquid ? new Template(templateConfig) : null;
        return result is not null;
    }

    private sealed class Template(PromptTemplateConfig config) : IPromptTemplate
    {
        private readonly IFluidTemplate _template = Parser.TryParse(config.Template, out var template, out var error)
            ? template
            : throw new FormatException(error);

        public async Task<string> RenderAsync(
            Kernel kernel, KernelArguments? arguments = null, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var context = new TemplateContext(Options);
            foreach (var (name, value) in PromptValues.Prepare(config, arguments))
            {
                context.SetValue(name, value);
            }

            return await _template.RenderAsync(context).ConfigureAwait(false);
        }
    }
}
