namespace Incident.Generator;

/// <summary>A line that shows what happened.</summary>
/// <param name="Role">"cause", "mechanism" or "symptom".</param>
/// <param name="File">File name.</param>
/// <param name="Line">Line number, from 1.</param>
/// <param name="Text">The line.</param>
public sealed record Evidence(string Role, string File, int Line, string Text);

/// <summary>What really happened; never given to a team.</summary>
/// <param name="Seed">The seed that it was made from.</param>
/// <param name="Kind">Name of the kind of fault.</param>
/// <param name="Service">The service that it started in.</param>
/// <param name="Onset">When it began to do harm.</param>
/// <param name="Cause">One sentence.</param>
/// <param name="Services">All services that it could have been.</param>
/// <param name="RedHerrings">What was planted to mislead.</param>
/// <param name="Evidence">Lines that show it, in several files.</param>
public sealed record Truth(
    int Seed, string Kind, string Service, DateTimeOffset Onset, string Cause,
    IReadOnlyList<string> Services, IReadOnlyList<string> RedHerrings, IReadOnlyList<Evidence> Evidence);

/// <summary>The log files of one incident and the truth about it, a pure function of seed and kind.</summary>
/// <param name="Files">Text by file name.</param>
/// <param name="Truth">What happened.</param>
public sealed record IncidentFolder(IReadOnlyDictionary<string, string> Files, Truth Truth)
{
    /// <summary>Makes an incident.</summary>
    /// <param name="seed">Everything follows from it.</param>
    /// <param name="kind">The kind of fault; by default one that the seed picks among those that are not held out.</param>
    public static IncidentFolder Make(int seed, FaultKind? kind = null)
    {
        var choice = Seeded.Stream(seed, "choice");
        // Drawn even when a kind is given, so that the rest of the incident does not depend on who chose it.
        var picked = choice.Pick([.. FaultKind.All.Where(k => !k.HeldOut)]);
        kind ??= picked;
        var scene = new Scene(seed);
        var fault = kind.Make();
        fault.Begin(scene, choice.Pick(fault.Roots), Math.Round(choice.Between(0.42, 0.68) * scene.Length));
        new Traffic(scene, fault).Run();
        new Noise(scene).Run();
        var herrings = new RedHerrings(scene, fault).Run();
        var files = scene.Files.ToDictionary(f => f.Name, f => f.Complete(), StringComparer.Ordinal);
        var evidence = fault.Evidence.OrderBy(e => e.Entry.At).Select(e => new Evidence(e.Role, e.Entry.File, e.Entry.Line, e.Entry.Text)).ToList();
        return new IncidentFolder(files, new Truth(seed, kind.Name, fault.Root, scene.Start.AddSeconds(fault.Onset), fault.Cause, Scene.Services, herrings, evidence));
    }

    /// <summary>Writes the files into a folder.</summary>
    public void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, text) in Files)
        {
            File.WriteAllText(Path.Combine(folder, name), text);
        }
    }
}
