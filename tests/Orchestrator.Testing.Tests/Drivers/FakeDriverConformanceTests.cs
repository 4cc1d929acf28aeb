using Orchestrator.Testing.Conformance;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Testing.Tests.Drivers;

public class FakeDriverConformanceTests
{
    public static TheoryData<string> Names => [.. ModelDriverConformance.Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_fake_driver_conforms(string name)
    {
        using var driver = new FakeDriver(new FakeDriverOptions { ContextSize = 512, BatchSize = 128, MaxSequences = 16 });
        ModelDriverConformance.Cases[name](driver);
    }
}
