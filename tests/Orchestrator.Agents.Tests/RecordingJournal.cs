using Orchestrator.Core.Runs;

namespace Orchestrator.Agents.Tests;

/// <summary>Keeps a run's events in memory.</summary>
internal sealed class RecordingJournal : IRunJournal
{
    private readonly List<RunEvent> _events = [];

    public string RunId => "test";

    /// <summary>Thrown instead of recording an event of this type; null records all.</summary>
    public Func<RunEvent, Exception?>? Fault { get; set; }

    public IReadOnlyList<RunEvent> Events
    {
        get
        {
            lock (_events)
            {
                return [.. _events];
            }
        }
    }

    public ValueTask<RunEvent> AppendAsync(RunEvent runEvent, CancellationToken cancellationToken = default)
    {
        if (Fault?.Invoke(runEvent) is { } fault)
        {
            throw fault;
        }

        lock (_events)
        {
            _events.Add(runEvent);
            return ValueTask.FromResult(runEvent);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
