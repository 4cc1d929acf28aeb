namespace Orchestrator.Core.Models;

/// <summary>Why an engine refused or gave up a request.</summary>
public enum InferenceError
{
    /// <summary>The request is malformed.</summary>
    BadRequest,

    /// <summary>The prompt does not fit the context.</summary>
    ContextOverflow,

    /// <summary>Too many requests are waiting; try again later.</summary>
    QueueFull,

    /// <summary>The deadline passed.</summary>
    DeadlineExceeded,

    /// <summary>An adapter is unknown or cannot be loaded.</summary>
    Adapter,

    /// <summary>The native library failed.</summary>
    DriverFailed,

    /// <summary>The engine was closed.</summary>
    Closed,
}

/// <summary>A request that the engine refused or gave up.</summary>
public sealed class InferenceException : OrchestratorException
{
    /// <summary>Creates the error.</summary>
    /// <param name="error">Why.</param>
    /// <param name="message">What happened, with the numbers.</param>
    /// <param name="remedy">What to do about it.</param>
    /// <param name="inner">The cause.</param>
    public InferenceException(InferenceError error, string message, string? remedy = null, Exception? inner = null)
        : base(KindOf(error), message, remedy, inner)
    {
        Error = error;
    }

    /// <summary>Why.</summary>
    public InferenceError Error { get; }

    private static ErrorKind KindOf(InferenceError error) => error switch
    {
        InferenceError.BadRequest => ErrorKind.Usage,
        InferenceError.ContextOverflow or InferenceError.Adapter or InferenceError.DriverFailed => ErrorKind.Model,
        _ => ErrorKind.Run,
    };
}
