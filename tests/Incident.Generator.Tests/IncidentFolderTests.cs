using System.Text.Json;

namespace Incident.Generator.Tests;

public class IncidentFolderTests
{
    public static TheoryData<string> Kinds => [.. FaultKind.All.Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_fills_eight_services_and_cites_true_lines_of_several_files(string name)
    {
        var incident = IncidentFolder.Make(11, FaultKind.Named(name));
        var lines = incident.Files.ToDictionary(f => f.Key, f => f.Value.Split('\n'));
        Assert.True(lines.Values.Sum(l => l.Length - 1) >= 4500);
        Assert.Equal(8, incident.Truth.Services.Count);
        Assert.Contains(incident.Truth.Service, incident.Truth.Services);
        Assert.Contains(incident.Truth.Evidence, e => e.Role == "cause");
        Assert.Equal(3, incident.Truth.RedHerrings.Count);
        Assert.True(incident.Truth.Evidence.Select(e => e.File).Distinct().Count() >= 2);
        Assert.All(incident.Truth.Evidence, e => Assert.StartsWith(lines[e.File][e.Line - 1], e.Text, StringComparison.Ordinal));
        Assert.DoesNotContain(incident.Files.Keys, f => f.Contains("truth", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void A_seed_makes_the_same_incident_again_and_another_seed_another()
    {
        Assert.Equal(IncidentFolder.Make(5).Files, IncidentFolder.Make(5).Files);
        Assert.NotEqual(IncidentFolder.Make(5).Files["edge.log"], IncidentFolder.Make(6).Files["edge.log"]);
    }

    [Fact]
    public void Seeds_alone_make_no_kind_that_is_held_out()
    {
        Assert.True(FaultKind.All.Count(k => k.HeldOut) >= 6);
        Assert.All(Enumerable.Range(0, 12), seed => Assert.False(FaultKind.Named(IncidentFolder.Make(seed).Truth.Kind).HeldOut));
    }

    [Fact]
    public void The_sample_is_what_the_generator_writes()
    {
        var samples = Path.Combine(Root(), "samples");
        var made = IncidentFolder.Make(7, FaultKind.Named("pool-exhaustion"));
        var committed = Directory.EnumerateFiles(Path.Combine(samples, "incident")).ToDictionary(f => Path.GetFileName(f), File.ReadAllText);
        Assert.Equal(made.Files.Keys.Order(), committed.Keys.Order());
        Assert.All(made.Files, f => Assert.Equal(f.Value, committed[f.Key]));
        Assert.True(committed.Values.Sum(t => t.Count(c => c == '\n')) >= 5000);
        var truth = JsonSerializer.Deserialize<Truth>(File.ReadAllText(Path.Combine(samples, "incident.truth.json")), JsonSerializerOptions.Web)!;
        Assert.Equal((made.Truth.Service, made.Truth.Kind), (truth.Service, truth.Kind));
        Assert.Equal(made.Truth.Evidence, truth.Evidence);
        Assert.True(truth.Evidence.Select(e => e.File).Distinct().Count() >= 3);
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Orchestrator.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
