using Orchestrator.Inference.Drivers;
using Orchestrator.Testing.Conformance;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Drivers;

public class LlamaDriverConformanceTests
{
    public static TheoryData<string> Names => [.. ModelDriverConformance.Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_generated_model_conforms(string name)
    {
        using var driver = Open(TinyModel.SharedPath);
        ModelDriverConformance.Cases[name](driver);
    }

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void A_real_model_conforms(string name)
    {
        Skip.If(TestModels.Real is null, "ORCHESTRATOR_TEST_MODEL names no model.");
        using var driver = Open(TestModels.Real!);
        ModelDriverConformance.Cases[name](driver);
    }

    private static IModelDriver Open(string path) => LlamaDriverLoader.Open(new LlamaDriverOptions
    {
        ModelPath = path,
        ContextSize = 512,
        BatchSize = 128,
        MaxSequences = 16,
        Threads = 1,
    });
}
