using Orchestrator.Core;

namespace Orchestrator.Inference.Gguf;

/// <summary>One thing that is wrong with a GGUF file.</summary>
/// <param name="File">The file's path.</param>
/// <param name="Where">The byte offset, key or tensor.</param>
/// <param name="Cause">What is wrong there.</param>
public sealed record GgufProblem(string File, string Where, string Cause)
{
    /// <inheritdoc/>
    public override string ToString() => $"{File}: {Where}: {Cause}";
}

/// <summary>The one shape of error that all GGUF code throws.</summary>
internal static class GgufError
{
    internal const string FetchAgain =
        "The file is damaged or was made by a faulty tool. Fetch it again (`orchestrator model pull`), or use another file.";

    internal static OrchestratorException At(string file, long offset, string cause, Exception? inner = null) =>
        Of([new GgufProblem(file, $"offset {offset}", cause)], FetchAgain, inner);

    internal static OrchestratorException Of(
        IReadOnlyList<GgufProblem> problems, string remedy = FetchAgain, Exception? inner = null)
    {
        var more = problems.Count > 1 ? $" (and {problems.Count - 1} more: {string.Join("; ", problems.Skip(1).Take(2).Select(p => $"{p.Where}: {p.Cause}"))})" : "";
        return new OrchestratorException(ErrorKind.Model, $"{problems[0]}{more}", remedy, inner);
    }
}
