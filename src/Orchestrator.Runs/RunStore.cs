using Orchestrator.Core;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Journals;
using Orchestrator.Runs.Logs;

namespace Orchestrator.Runs;

/// <summary>
/// The runs on this machine: a folder for each, with <c>events.jsonl</c> (the log) and <c>output/</c> (what the run
/// wrote).
/// </summary>
public sealed class RunStore
{
    internal const string LogName = "events.jsonl";
    private const string OutputName = "output";
    private readonly RunsOptions _options;
    private readonly TimeProvider _clock;
    private readonly RunIdSource _ids;

    /// <summary>Opens the runs below a folder, which need not exist yet.</summary>
    /// <param name="options">The folder, and how secrets are taken out.</param>
    /// <param name="clock">Tells the time.</param>
    /// <param name="ids">Names new runs; null names them by the time and the system's random numbers.</param>
    public RunStore(RunsOptions options, TimeProvider clock, RunIdSource? ids = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentException.ThrowIfNullOrEmpty(options.Root);
        _options = options;
        _clock = clock;
        _ids = ids ?? new RunIdSource(clock);
    }

    /// <summary>The folder of all runs.</summary>
    public string Root => _options.Root;

    /// <summary>Begins a new run's record.</summary>
    /// <returns>Its journal, to be disposed when the run has ended.</returns>
    /// <exception cref="OrchestratorException">The log cannot be made.</exception>
    public FileRunJournal Create()
    {
        var id = _ids.Next();
        while (Directory.Exists(Path.Combine(Root, id)))
        {
            id = _ids.Next();
        }

        return FileRunJournal.Create(Path.Combine(Root, id), id, _clock, _options.Redact);
    }

    /// <summary>A run's folder.</summary>
    /// <param name="runId">The run's id, or enough of its beginning or end to tell it from all others.</param>
    /// <returns>The absolute path.</returns>
    /// <exception cref="OrchestratorException">No run, or more than one, has this id.</exception>
    public string GetFolder(string runId) => Path.Combine(Root, Resolve(runId));

    /// <summary>The folder that a run's own files go to; not made here.</summary>
    /// <param name="runId">The run's whole id.</param>
    /// <returns>The absolute path.</returns>
    public string GetOutputFolder(string runId) => Path.Combine(Root, runId, OutputName);

    /// <summary>Finds a run by a part of its id.</summary>
    /// <param name="runId">The id, or enough of its beginning or end.</param>
    /// <returns>The whole id.</returns>
    /// <exception cref="OrchestratorException">No run, or more than one, has this id.</exception>
    public string Resolve(string runId)
    {
        ArgumentException.ThrowIfNullOrEmpty(runId);
        var ids = Ids();
        if (ids.Contains(runId))
        {
            return runId;
        }

        var matches = ids
            .Where(id => id.StartsWith(runId, StringComparison.Ordinal) || id.EndsWith(runId, StringComparison.Ordinal))
            .ToArray();
        return matches.Length switch
        {
            1 => matches[0],
            0 => throw new OrchestratorException(
                ErrorKind.Usage, $"There is no run '{runId}' in '{Root}'.", "List the runs with: orchestrator runs list"),
            _ => throw new OrchestratorException(
                ErrorKind.Usage,
                $"'{runId}' may be any of {matches.Length} runs: {string.Join(", ", matches.Take(5))}.",
                "Give more of the id."),
        };
    }

    /// <summary>Reads a run's log.</summary>
    /// <param name="runId">The run's id, or a part of it.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The log.</returns>
    /// <exception cref="OrchestratorException">There is no such run, or its log cannot be read.</exception>
    public Task<RunLog> ReadAsync(string runId, CancellationToken cancellationToken = default) =>
        RunLogReader.ReadAsync(Path.Combine(GetFolder(runId), LogName), cancellationToken);

    /// <summary>Sums a run up.</summary>
    /// <param name="runId">The run's id, or a part of it.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The summary; one whose log cannot be read says so.</returns>
    /// <exception cref="OrchestratorException">There is no such run.</exception>
    public async Task<RunSummary> SummariseAsync(string runId, CancellationToken cancellationToken = default)
    {
        var id = Resolve(runId);
        var active = IsActive(id);
        try
        {
            return RunSummary.Of(id, await ReadAsync(id, cancellationToken).ConfigureAwait(false), active);
        }
        catch (OrchestratorException e)
        {
            return new RunSummary(id, RunState.Unreadable, null, null, null, null, e.Message, null, 0);
        }
    }

    /// <summary>Lists the runs, newest first.</summary>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>Their summaries.</returns>
    public async IAsyncEnumerable<RunSummary> ListAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var id in Ids().OrderDescending(StringComparer.Ordinal))
        {
            yield return await SummariseAsync(id, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes a run with all that it wrote.</summary>
    /// <param name="runId">The run's id, or a part of it.</param>
    /// <returns>The id of the run that was deleted.</returns>
    /// <exception cref="OrchestratorException">There is no such run, or it is still going on.</exception>
    public string Delete(string runId)
    {
        var id = Resolve(runId);
        var folder = Path.Combine(Root, id);
        using (var claim = RunClaim.TryTake(folder))
        {
            if (claim is null)
            {
                throw new OrchestratorException(
                    ErrorKind.Usage, $"Run '{id}' is still going on.", "End it first, then delete it.");
            }

            // The log goes while the claim is held; the rest cannot be taken for a run any more.
            File.Delete(Path.Combine(folder, LogName));
        }

        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OrchestratorException(
                ErrorKind.Run, $"The files of run '{id}' could not all be deleted: {e.Message}", $"Delete '{folder}' by hand.", e);
        }

        return id;
    }

    private bool IsActive(string id)
    {
        using var claim = RunClaim.TryTake(Path.Combine(Root, id));
        return claim is null;
    }

    private List<string> Ids() => Directory.Exists(Root)
        ? [.. Directory.EnumerateDirectories(Root)
            .Where(folder => File.Exists(Path.Combine(folder, LogName)))
            .Select(folder => Path.GetFileName(folder))]
        : [];
}
