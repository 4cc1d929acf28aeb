using Orchestrator.Agents.Definitions;
using Orchestrator.Agents.Teams;
using Orchestrator.Agents.Tests.Definitions;
using Orchestrator.Core.Teams;

namespace Orchestrator.Agents.Tests.Teams;

public sealed class TeamFileTests
{
    private const string Good = """
        name: crew
        description: A crew.
        model: small
        members:
          - name: ada
            role: analyst
            description: Reads.
            capabilities: [reading]
            plugins: [files, math-evaluate]
            prompt: analyst
            adapter: logs
            temperature: 0.1
          - name: bo
            role: writer
            description: Writes.
            capabilities: [writing]
        planner:
          kind: fixed
          tasks:
            - id: read
              description: Read it.
              capability: reading
            - id: write
              description: Write it.
              needs: [read]
        protocol:
          kind: roundRobin
          max_rounds: 2
          question: What is it?
          decision:
            question: Which?
            options_from: logs-rank
            arguments: {top: "5"}
            weight: 2
        facts:
          schema: {type: object, properties: {file: {type: string, maxLength: 40}}}
        budget:
          max_tokens: 1000
          max_duration: 90s
        deliverable:
          narrative: story
          author: bo
          check: files-exists
        inputs:
          logs: samples/logs
        prompts:
          task: brief
        """;

    [Fact]
    public void Every_key_arrives()
    {
        var team = Read(Good);

        Assert.Equal(("preamble", "brief", "discussion"), (team.Prompts.Preamble, team.Prompts.Task, team.Prompts.Discussion));
        Assert.Equal("crew", team.Name);
        Assert.Equal("small", team.Model);
        var ada = team.Members[0];
        Assert.Equal(("ada", "analyst", "Reads.", "analyst", "logs", 0.1f), (ada.Name, ada.Role, ada.Description, ada.Prompt, ada.Adapter, ada.Temperature));
        Assert.Equal(["reading"], ada.Capabilities);
        Assert.Equal(["files", "math-evaluate"], ada.Plugins);
        Assert.Equal("fixed", team.Planner.Kind);
        Assert.Equal(["read"], team.Planner.Tasks[1].Needs);
        Assert.Equal(("roundRobin", 2, "What is it?"), (team.Protocol.Kind, team.Protocol.MaxRounds, team.Protocol.Question));
        var decision = team.Protocol.Decision!;
        Assert.Equal(("Which?", "logs-rank", "5", "own", "pooled", 2.0), (decision.Question, decision.OptionsFrom, decision.Arguments["top"], decision.Evidence, decision.Rule, decision.Weight));
        Assert.Equal(40, team.Facts!.Schema.GetProperty("properties").GetProperty("file").GetProperty("maxLength").GetInt32());
        Assert.Equal(4, team.Facts.MaxFacts);
        Assert.Equal(("story", "bo"), (team.Deliverable!.Narrative, team.Deliverable.Author));
        Assert.Equal((1000, 256, TimeSpan.FromSeconds(90)), (team.Budget.MaxTokens, team.Budget.MaxTokensPerTurn, team.Budget.MaxDuration));
        Assert.Equal(("report.md", "report", "files-exists"), (team.Deliverable!.File, team.Deliverable.Prompt, team.Deliverable.Check));
        Assert.Equal("samples/logs", team.Inputs["logs"]);
        Assert.EndsWith("team.yaml", team.SourcePath, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_left_out_has_the_defaults_of_the_definition()
    {
        var team = Read("description: d\nmembers:\n  - {name: a, role: r, description: d}");

        Assert.Equal("team", team.Name);
        Assert.Equal(new PlannerDefinition { Tasks = team.Planner.Tasks }, team.Planner);
        Assert.Equal(new ProtocolDefinition(), team.Protocol);
        Assert.Equal(new BudgetDefinition(), team.Budget);
        Assert.Equal(0.7f, team.Members[0].Temperature);
        Assert.Null(team.Deliverable);
    }

    [Theory]
    [InlineData(@"(?<file>\S+:\d+)", null)]
    [InlineData(@"\S+:\d+", "has no named group")]
    [InlineData(@"(?<flie>\S+)", "no property 'flie'; did you mean 'file'?")]
    [InlineData("(?<file>", "no regular expression")]
    public void Facts_are_extracted_by_groups_that_the_schema_has(string pattern, string? message)
    {
        var text = Good.Replace("facts:\n", $"facts:\n  extract: '{pattern}'\n", StringComparison.Ordinal);
        if (message is null)
        {
            Assert.Equal(pattern, Read(text).Facts!.Extract);
            return;
        }

        var error = Assert.Single(Assert.Throws<DefinitionException>(() => Read(text)).Errors);
        Assert.Equal("facts.extract", error.Key);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model: small", "modl: small", 3, "modl", "unknown key 'modl' in a team; did you mean 'model'?")]
    [InlineData("    role: analyst\n", "", 5, "members[0].role", "a member needs 'role'")]
    [InlineData("    capabilities: [reading]", "    capability: [reading]", 8, "members[0].capability", "unknown key 'capability' in a member; did you mean")]
    [InlineData("temperature: 0.1", "temperature: 3", 12, "members[0].temperature", "'3' is not a number from 0 to 2")]
    [InlineData("name: bo", "name: ada", 13, "members[1].name", "two members 'ada'; the first is in line 5")]
    [InlineData("name: bo", "name: b o", 13, "members[1].name", "'b o' is not allowed")]
    [InlineData("kind: roundRobin", "kind: roundrobin", 27, "protocol.kind", "did you mean 'roundRobin'?")]
    [InlineData("max_duration: 90s", "max_duration: 90", 39, "budget.max_duration", "'90' is not a time such as")]
    [InlineData("needs: [read]", "needs: [raed]", 25, "planner.tasks[1].needs[0]", "no task 'raed'; did you mean 'read'?")]
    [InlineData("capability: reading\n", "capability: reading\n      needs: [write]\n", 23, "planner.tasks[0].needs", "wait for each other: read → write → read")]
    [InlineData("capability: reading\n", "capability: flying\n", 22, "planner.tasks[0].capability", "no member has the capability 'flying'; known are reading, writing")]
    [InlineData("check: files-exists", "file: ../x.md", 43, "deliverable.file", "leaves the run's output folder")]
    [InlineData("author: bo", "author: bob", 42, "deliverable.author", "no member 'bob'; did you mean 'bo'?")]
    [InlineData("    options_from: logs-rank\n", "", 31, "protocol.decision.options", "needs its options or 'options_from'")]
    [InlineData("plugins: [files, math-evaluate]", "plugins: files", 9, "members[0].plugins", "a list is expected")]
    [InlineData("logs: samples/logs", "logs: [a]", 45, "inputs.logs", "a text is expected")]
    [InlineData("name: crew", "name: crew\nname: again", 2, "", "not valid YAML")]
    [InlineData("name: crew", "name: 'crew", 36, "", "not valid YAML")]
    public void An_error_names_file_line_and_key(string good, string bad, int line, string key, string message)
    {
        Assert.Contains(good, Good, StringComparison.Ordinal);
        var exception = Assert.Throws<DefinitionException>(() => Read(Good.Replace(good, bad, StringComparison.Ordinal)));

        var error = exception.Errors[0];
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(key, error.Key);
        Assert.EndsWith("team.yaml", error.File, StringComparison.Ordinal);
        if (key.Length > 0)
        {
            Assert.Equal(line, error.Line);
            Assert.Contains($"team.yaml:{line}:", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void All_errors_are_reported_at_once()
    {
        var exception = Assert.Throws<DefinitionException>(() => Read("nam: x\nmembers: []\nbudget: {max_tokens: no}"));

        Assert.Equal(["description", "nam", "members", "budget.max_tokens"], exception.Errors.Select(e => e.Key).OrderBy(k => k != "description"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("- a\n- b")]
    [InlineData("just text")]
    [InlineData("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\ninputs: {x: *b}")]
    public void A_file_of_another_kind_is_an_error_and_no_crash(string text) =>
        Assert.Throws<DefinitionException>(() => Read(text));

    [Fact]
    public void The_shipped_teams_are_good_and_the_schema_for_editors_is_up_to_date()
    {
        using var library = new TeamLibrary([RepositoryRoot.Combine("teams")]);

        Assert.Empty(library.Errors);
        Assert.NotEmpty(library.All);
        SchemaFile.AssertIs(TeamLibrary.JsonSchema, "teams", "team.schema.json");
    }

    private static TeamDefinition Read(string text)
    {
        using var folder = new TemporaryFolder();
        return TeamLibrary.ReadFile(folder.Write("team.yaml", text));
    }
}
