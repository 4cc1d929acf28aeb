using Orchestrator.Testing.Conformance;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Testing.Tests.Drivers;

public class FakeDriverConformanceTests
{
    public static TheoryData<string> Names => [.. ModelDriverConformance.Cases.Keys];

    public static TheoryData<string> WholeNames => [.. ModelDriverConformance.WholeCases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_fake_driver_conforms(string name)
    {
        using var driver = new FakeDriver(new FakeDriverOptions { ContextSize = 512, BatchSize = 128, MaxSequences = 16 });
        ModelDriverConformance.Cases[name](driver);
    }

    [Theory]
    [MemberData(nameof(WholeNames))]
    public void So_does_one_whose_cache_cannot_be_cut(string name)
    {
        using var driver = new FakeDriver(new FakeDriverOptions { ContextSize = 512, BatchSize = 128, MaxSequences = 16, CanCut = false });
        ModelDriverConformance.WholeCases[name](driver);
    }
}
