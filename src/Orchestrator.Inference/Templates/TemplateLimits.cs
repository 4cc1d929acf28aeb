namespace Orchestrator.Inference.Templates;

/// <summary>
/// How much a template may use. Templates come with model files from anywhere, so all of it is bounded.
/// </summary>
public sealed record TemplateLimits
{
    /// <summary>Steps of one rendering, at least 1: expressions evaluated, and pieces of text and lists handled.</summary>
    public long MaxSteps { get; init; } = 20_000_000;

    /// <summary>Wall time of one rendering, over 0.</summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Length of the longest text that may arise, the output included, in UTF-16 units; at least 1.</summary>
    public int MaxTextLength { get; init; } = 16 * 1024 * 1024;

    /// <summary>How deep macros and recursive loops may call, at least 1.</summary>
    public int MaxCallDepth { get; init; } = 200;

    /// <summary>Length of a template's source in UTF-16 units, at least 1.</summary>
    public int MaxSourceLength { get; init; } = 1024 * 1024;
}
