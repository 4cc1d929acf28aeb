using Orchestrator.Core.Planning;
using Orchestrator.Core.Runs;
using Orchestrator.Runs.Journals;

// Writes events to the folder given for ever, and prints the number of each that is on disk.
await using var journal = FileRunJournal.Create(args[0], "r1", TimeProvider.System);
await journal.AppendAsync(new RunStarted(RunLogFormat.Version, "r1", "t", "x", 1, null, []));
await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
{
    for (var i = 0; ; i++)
    {
        await journal.AppendAsync(new RunFailed(new string((char)('a' + writer), i % 4000), false));
        var recorded = await journal.AppendAsync(new TaskFinished(new TaskOutcome($"t{i}", "a", true, "r")));
        Console.WriteLine(recorded.Sequence);
    }
})));
