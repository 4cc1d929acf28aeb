using FsCheck.Xunit;
using Orchestrator.Agents.Definitions;
using Orchestrator.Agents.Teams;

namespace Orchestrator.Agents.Tests.Definitions;

public sealed class DefinitionPropertyTests
{
    private static readonly string[] Fragments =
    [
        "name: ", "members:\n", "  - ", "role: x\n", "description: y\n", "budget:\n  ", "max_tokens: ", "[", "]", "{", "}", "&a ", "*a",
        ": ", "\n", "\t", "'", "\"", "|\n  ", "- ", "~", "1", "true", "planner:\n  kind: fixed\n", "# ", "!!binary ", "<<: ", "? ",
    ];

    [Property(MaxTest = 500)]
    public bool Any_text_gives_a_team_or_an_error_with_its_place(byte[] choices)
    {
        var text = string.Concat((choices ?? []).Select(c => Fragments[c % Fragments.Length]));
        try
        {
            return TeamFile.Read("x.yaml", text, "").Members.Count > 0;
        }
        catch (DefinitionException e)
        {
            return e.Errors.Count > 0 && e.Errors.All(x => x.Line >= 1 && x.Column >= 1 && x.Message.Length > 0);
        }
    }

    [Theory]
    [InlineData("membrs", "members")]
    [InlineData("naem", "name")]
    [InlineData("zzz", null)]
    public void The_nearest_word_is_found_where_it_is_near(string word, string? expected) =>
        Assert.Equal(expected, Spelling.Nearest(word, ["members", "name", "role"]));

    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("1.5h", 5400.0)]
    [InlineData("0s", null)]
    [InlineData("5", null)]
    [InlineData("-5s", null)]
    public void Durations_have_a_unit(string text, double? seconds) =>
        Assert.Equal(seconds, DefinitionReader.ParseDuration(text)?.TotalSeconds);
}
