using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Tools;

/// <summary>What a function may change in the world.</summary>
public enum SideEffects
{
    /// <summary>Nothing: it only reads or computes.</summary>
    None,

    /// <summary>Files in the run's own output folder. Needs no approval.</summary>
    Output,

    /// <summary>Anything. Needs approval.</summary>
    Any,
}

/// <summary>Whether a call with side effects may go ahead without a person being asked.</summary>
public enum Approval
{
    /// <summary>A person is asked; where nobody can be asked, the call is denied.</summary>
    Ask,

    /// <summary>It may.</summary>
    Always,

    /// <summary>It may not, and nobody is asked.</summary>
    Never,
}

/// <summary>The rules under which a function is called.</summary>
public sealed record ToolPolicy
{
    /// <summary>What the function may change; where nobody says, anything.</summary>
    public SideEffects SideEffects { get; init; } = SideEffects.Any;

    /// <summary>How a call with side effects is approved.</summary>
    public Approval Approval { get; init; } = Approval.Ask;

    /// <summary>How long a call may take; it is abandoned then.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Tells of a call that it changes nothing outside of the run's output folder, though the function could; null
    /// where that can't be told from the arguments.
    /// </summary>
    public Func<KernelArguments, bool>? StaysInOutput { get; init; }

    /// <summary>Whether a call needs approval.</summary>
    /// <param name="arguments">What the function is called with.</param>
    /// <returns>True where it may change something outside of the run's output folder.</returns>
    public bool NeedsApproval(KernelArguments arguments) =>
        SideEffects == SideEffects.Any && StaysInOutput?.Invoke(arguments) != true;
}
