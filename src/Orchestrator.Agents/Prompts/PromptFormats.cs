using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Prompts;

/// <summary>The template formats, and what makes templates of them.</summary>
public static class PromptFormats
{
    /// <summary>Semantic Kernel's own: <c>{{$name}}</c>, <c>{{plugin.function $name}}</c>.</summary>
    public const string SemanticKernel = "semantic-kernel";

    /// <summary>Handlebars: <c>{{name}}</c>, <c>{{#each items}}…{{/each}}</c>.</summary>
    public const string Handlebars = "handlebars";

    /// <summary>Liquid: <c>{{ name }}</c>, <c>{% for item in items %}…{% endfor %}</c>.</summary>
    public const string Liquid = "liquid";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [SemanticKernel, Handlebars, Liquid];

    /// <summary>A factory for all formats, to hand to Semantic Kernel.</summary>
    public static IPromptTemplateFactory Factory { get; } = new AggregatorPromptTemplateFactory(
        new KernelPromptTemplateFactory(), new HandlebarsPromptTemplateFactory(), new LiquidPromptTemplateFactory());
}
