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

    public static TheoryData<string> WholeNames => [.. ModelDriverConformance.WholeCases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_model_with_a_sliding_window_conforms(string name)
    {
        using var driver = Open(TinyModel.SharedPathOf(TinyArchitecture.SlidingWindow));
        Assert.True(driver.Info.CanCut);
        ModelDriverConformance.Cases[name](driver);
    }

    [Theory]
    [MemberData(nameof(WholeNames))]
    public void A_recurrent_model_conforms(string name) => ConformsWhole(TinyArchitecture.Recurrent, name);

    [Theory]
    [MemberData(nameof(WholeNames))]
    public void A_hybrid_model_conforms(string name) => ConformsWhole(TinyArchitecture.Hybrid, name);

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void A_real_model_conforms(string name)
    {
        Skip.If(TestModels.Real is null, "ORCHESTRATOR_TEST_MODEL names no model.");
        using var driver = Open(TestModels.Real!);
        ModelDriverConformance.Cases[name](driver);
    }

    private static void ConformsWhole(TinyArchitecture architecture, string name)
    {
        using var driver = Open(TinyModel.SharedPathOf(architecture));
        Assert.False(driver.Info.CanCut);
        ModelDriverConformance.WholeCases[name](driver);
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
