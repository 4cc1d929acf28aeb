using Orchestrator.Core.Models;
using Orchestrator.Testing.Conformance;
using Orchestrator.Testing.Models;

namespace Orchestrator.Testing.Tests.Models;

public class ChoiceScorerConformanceTests
{
    public static TheoryData<string> Names => [.. ChoiceScorerConformance.Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public Task A_scripted_scorer_conforms(string name) =>
        ChoiceScorerConformance.Cases[name](new ScriptedChoiceScorer(question => question.Options[0].Name));

    [Theory]
    [MemberData(nameof(Names))]
    public Task A_scorer_that_generates_conforms(string name) =>
        ChoiceScorerConformance.Cases[name](new GeneratedChoiceScorer(new ScriptedChatClient(_ => ScriptedAnswer.Says("""{"choice":"clock"}"""))));
}
