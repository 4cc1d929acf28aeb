namespace Orchestrator.Inference.Store;

/// <summary>What a pull is doing.</summary>
public enum PullStage
{
    /// <summary>Another process pulls the same file; this one waits for it.</summary>
    Waiting,

    /// <summary>Bytes are coming in.</summary>
    Downloading,

    /// <summary>The connection was lost or refused and will be tried again.</summary>
    Retrying,

    /// <summary>The file is complete and is being checked.</summary>
    Verifying,
}

/// <summary>How far a pull has come.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="File">The file's name.</param>
/// <param name="Bytes">Bytes of the file that are on disk.</param>
/// <param name="Total">Bytes of the whole file, or null where the server doesn't say.</param>
/// <param name="BytesPerSecond">The rate since the download began or was resumed.</param>
public sealed record PullProgress(PullStage Stage, string File, long Bytes, long? Total, double BytesPerSecond);
