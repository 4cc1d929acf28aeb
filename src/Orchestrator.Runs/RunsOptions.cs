using System.ComponentModel.DataAnnotations;

namespace Orchestrator.Runs;

/// <summary>How runs are kept.</summary>
public sealed class RunsOptions
{
    /// <summary>The folder that holds a folder for each run; absolute.</summary>
    [Required]
    public string Root { get; set; } = "";

    /// <summary>Takes secrets out of a text before it is written, or null.</summary>
    public Func<string, string>? Redact { get; set; }
}
