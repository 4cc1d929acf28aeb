using Microsoft.Extensions.Configuration;
using Orchestrator.Console.Hosting;

namespace Orchestrator.Console.Tests.Hosting;

public sealed class SettingListTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private string SettingsFile => Path.Combine(_folder.FullName, Settings.FileName);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_setting_that_nobody_set_has_its_default()
    {
        var rows = Read("{}");
        Assert.Equal(new SettingRow("Orchestrator:BatchSize", "512", "default", true), rows.Single(r => r.Key == "Orchestrator:BatchSize"));
        Assert.Equal("", rows.Single(r => r.Key == "Orchestrator:Model").Value);
        Assert.Equal("HF_TOKEN", rows.Single(r => r.Key == "Orchestrator:Agents:Secrets").Value);
        Assert.Equal("00:10:00", rows.Single(r => r.Key == "Orchestrator:Coordination:TurnTimeout").Value);
        Assert.All(rows, r => Assert.True(r.IsRead));
    }

    [Fact]
    public void A_setting_is_shown_with_the_file_that_sets_it()
    {
        var rows = Read("""{"orchestrator":{"contextSize":4096,"Agents":{"TeamFolders":["a","b"],"Approvals":{"weather":"always"}}}}""");
        Assert.Equal(new SettingRow("Orchestrator:ContextSize", "4096", SettingsFile, true), rows.Single(r => r.Key == "Orchestrator:ContextSize"));
        Assert.Equal(["a", "b"], rows.Where(r => r.Key.StartsWith("Orchestrator:Agents:TeamFolders:", StringComparison.Ordinal)).Select(r => r.Value));
        Assert.Equal("always", rows.Single(r => r.Key == "Orchestrator:Agents:Approvals:weather").Value);
    }

    [Fact]
    public void A_misspelt_setting_is_said_to_be_read_by_nothing()
    {
        var row = Assert.Single(Read("""{"Orchestrator":{"ContextSiz":4096}}"""), r => !r.IsRead);
        Assert.Equal(("Orchestrator:ContextSiz", "4096"), (row.Key, row.Value));
    }

    [Fact]
    public void Secrets_are_not_shown_and_what_only_sounds_like_one_is()
    {
        var rows = Read("""{"Orchestrator":{"MaxOutputTokens":99,"Models":{"Token":"hf_x"}}}""");
        Assert.Equal("(secret)", rows.Single(r => r.Key == "Orchestrator:Models:Token").Value);
        Assert.Equal("99", rows.Single(r => r.Key == "Orchestrator:MaxOutputTokens").Value);
        Assert.Equal("", rows.Single(r => r.Key == "Orchestrator:Server:Token").Value);
    }

    private IReadOnlyList<SettingRow> Read(string json)
    {
        File.WriteAllText(SettingsFile, json);
        return SettingList.Read(new ConfigurationBuilder().AddJsonFile(SettingsFile).Build());
    }
}
