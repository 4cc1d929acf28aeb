using System.Runtime.CompilerServices;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Tests.Constraints;

public class RandomGenerationTests
{
    [SkippableFact]
    public void What_a_random_model_writes_is_valid_and_what_is_changed_is_judged_as_by_ajv()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Constraints", "ajv");
        var missing = AjvValidator.Missing(folder);
        if (missing is not null)
        {
            folder = Path.Combine(Source(), "ajv");
            missing = AjvValidator.Missing(folder);
        }

        Skip.If(missing is not null, missing);
        using var validator = AjvValidator.Start(folder);
        var outcome = new RandomGeneration(new ConstraintCompiler(new TestVocabulary()), validator).Run(seed: 1, count: 250, outputs: 2, mutants: 4);
        Assert.True(outcome.Faults.Count == 0, string.Join('\n', outcome.Faults.Take(20)));
        Assert.True(outcome.Outputs > 200 && outcome.MutantsValid > 50, outcome.ToString());
    }

    private static string Source([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
