namespace Orchestrator.Core;

/// <summary>What went wrong, in the terms that the console's exit codes use.</summary>
public enum ErrorKind
{
    /// <summary>The command or call was used wrongly. Exit code 1.</summary>
    Usage,

    /// <summary>A file that people write (team, prompt, plugin manifest, settings) is wrong. Exit code 2.</summary>
    Configuration,

    /// <summary>A model is missing, broken, or does not fit. Exit code 3.</summary>
    Model,

    /// <summary>A run began and could not be finished. Exit code 4.</summary>
    Run,
}

/// <summary>
/// An error meant for a person: it says what happened, where, and what to do. Nothing else of the exception is
/// shown unless details are asked for.
/// </summary>
public class OrchestratorException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="kind">Decides the exit code.</param>
    /// <param name="message">What happened and where (file, line, key, offset), in one sentence.</param>
    /// <param name="remedy">What the person can do about it, or null where nothing is known.</param>
    /// <param name="inner">The cause.</param>
    public OrchestratorException(ErrorKind kind, string message, string? remedy = null, Exception? inner = null)
        : base(message, inner)
    {
        Kind = kind;
        Remedy = remedy;
    }

    /// <summary>What went wrong, for the exit code.</summary>
    public ErrorKind Kind { get; }

    /// <summary>What the person can do about it.</summary>
    public string? Remedy { get; }
}
