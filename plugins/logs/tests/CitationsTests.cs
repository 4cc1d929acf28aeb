using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Orchestrator.Plugins.Logs.Tests;

public class CitationsTests
{
    [Fact]
    public void Real_citations_pass_and_invented_ones_are_named()
    {
        using var folder = new LogFolder(("a.log", "one\ntwo `x`\u001b[31m\nthree\n"));
        Assert.Empty(Citations.Problems("It began in a.log:1.\n- `a.log:2` `two  x  [31m`\n", folder.Reader));
        Assert.Contains("a.log:9", Assert.Single(Citations.Problems("See a.log:9", folder.Reader)), StringComparison.Ordinal);
        Assert.Contains("b.log:1", Assert.Single(Citations.Problems("See `b.log:1` and a.log:1", folder.Reader)), StringComparison.Ordinal);
        Assert.Contains("does not say", Assert.Single(Citations.Problems("- `a.log:1` `two`", folder.Reader)), StringComparison.Ordinal);
        Assert.Single(Citations.Problems("Nothing.", folder.Reader));
        Assert.Single(Citations.Problems("../a.log:1 a.log:1", folder.Reader));
    }

    [Property]
    public Property What_the_tool_quotes_passes_the_check() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonNull<string>>(),
        text =>
        {
            var line = text.Get.ReplaceLineEndings(" ");
            using var folder = new LogFolder(("a.log", line + "\n"));
            var quoted = Citations.Quoted(folder.Reader.Lines("a.log", 1, 1).Select(l => l.Text).FirstOrDefault() ?? "");
            return Citations.Problems($"- `a.log:1` `{quoted}`\n", folder.Reader).Count == 0;
        });
}
