namespace Orchestrator.Runs.Journals;

/// <summary>
/// The right to write a run: a lock on a file of its folder, which the operating system gives back when the process
/// ends, however it ends.
/// </summary>
internal sealed class RunClaim : IDisposable
{
    private const string Name = "lock";
    private readonly FileStream _lock;

    private RunClaim(FileStream stream) => _lock = stream;

    /// <summary>Takes the claim.</summary>
    /// <exception cref="IOException">Another writer has it.</exception>
    internal static RunClaim Take(string folder) => new(new FileStream(
        Path.Combine(folder, Name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1));

    /// <summary>Takes the claim of an existing run unless a writer has it.</summary>
    internal static RunClaim? TryTake(string folder)
    {
        try
        {
            return Take(folder);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _lock.Dispose();
}
