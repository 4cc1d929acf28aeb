using FsCheck;
using FsCheck.Xunit;
using Orchestrator.Inference.Benchmarks;

namespace Orchestrator.Inference.Tests.Benchmarks;

public class MachineWatchTests
{
    [Fact]
    public void Drift_is_that_of_the_worse_probe()
    {
        var readings = new Queue<MachineReading>([new(10, 100), new(10, 150), new(12, 150), new(12, 150)]);
        var watch = new MachineWatch(readings.Dequeue);
        var first = watch.Take();
        var second = watch.Take();
        watch.Take();
        Assert.Equal(1.5, watch.DriftSince(first), 6);
        Assert.Equal(1.2, watch.DriftSince(second), 6);
        Assert.Equal(1, watch.DriftSince(watch.Take()), 6);
    }

    [Fact]
    public async Task A_cell_that_drifted_is_measured_again_after_the_others_until_it_is_steady()
    {
        var measured = new List<(string, int)>();
        var results = await MachineWatch.MeasureAsync(
            ["a", "b", "c"],
            attempts: 3,
            (cell, attempt) =>
            {
                measured.Add((cell, attempt));
                return Task.FromResult(cell == "b" && attempt < 3 ? 2.0 : 1.0);
            },
            drift => drift);

        Assert.Equal([("a", 1), ("b", 1), ("c", 1), ("b", 2), ("b", 3)], measured);
        Assert.Equal([(1.0, 1), (1.0, 3), (1.0, 1)], results);
    }

    [Property]
    public void No_cell_is_measured_too_often_and_its_steadiest_measurement_stays(NonEmptyArray<NonEmptyArray<PositiveInt>> drifts, PositiveInt attempts)
    {
        var most = Math.Min(attempts.Get, 5);
        var calls = new int[drifts.Get.Length];
        double Drift(int cell, int attempt) => 1 + (drifts.Get[cell].Get[(attempt - 1) % drifts.Get[cell].Get.Length].Get / 8.0);
        var results = MachineWatch.MeasureAsync(
            [.. Enumerable.Range(0, drifts.Get.Length)],
            most,
            (cell, attempt) =>
            {
                calls[cell]++;
                return Task.FromResult(Drift(cell, attempt));
            },
            drift => drift).GetAwaiter().GetResult();

        for (var cell = 0; cell < calls.Length; cell++)
        {
            var seen = Enumerable.Range(1, calls[cell]).Select(attempt => Drift(cell, attempt)).ToList();
            Assert.Equal((seen.Min(), calls[cell]), results[cell]);
            Assert.True(calls[cell] == most || seen[^1] <= MachineWatch.MostDrift);
            Assert.All(seen[..^1], drift => Assert.True(drift > MachineWatch.MostDrift));
        }
    }
}
