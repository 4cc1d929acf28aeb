using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Store;

/// <summary>A model that can be pulled by name.</summary>
/// <param name="Name">The name to pull it by.</param>
/// <param name="Title">What people call it.</param>
/// <param name="Repo">The hub's repository, <c>owner/name</c>.</param>
/// <param name="File">The file in it; of a split model, the first part.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="BytesApproximate">Whether the size is only about right, so that another one is no fault.</param>
/// <param name="Sha256">Its SHA-256 in lower-case hexadecimal, or null where it isn't known.</param>
/// <param name="Licence">The licence's identifier.</param>
/// <param name="Context">The context in tokens that it was trained for.</param>
/// <param name="Default">Whether it is the one to propose to somebody who has none.</param>
public sealed record CatalogueEntry(
    string Name,
    string Title,
    string Repo,
    string File,
    long Bytes,
    bool BytesApproximate,
    string? Sha256,
    string Licence,
    int Context,
    bool Default)
{
    /// <summary>The size as people read it, marked where it is only about right.</summary>
    [JsonIgnore]
    public string Size => (BytesApproximate ? "about " : "") + ByteSize.Format(Bytes);
}

/// <summary>The models that can be pulled by name, smallest first as the file has them.</summary>
public sealed class ModelCatalogue
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private ModelCatalogue(IReadOnlyList<CatalogueEntry> entries) => Entries = entries;

    /// <summary>The entries.</summary>
    public IReadOnlyList<CatalogueEntry> Entries { get; }

    /// <summary>The model to propose to somebody who has none, or null where the catalogue is empty.</summary>
    public CatalogueEntry? Proposed => Entries.FirstOrDefault(entry => entry.Default) ?? Entries.FirstOrDefault();

    /// <summary>Reads a catalogue.</summary>
    /// <param name="path">A file, or null for the catalogue that is built in.</param>
    /// <exception cref="OrchestratorException">The file is missing or not a catalogue; the error names line and key.</exception>
    public static ModelCatalogue Load(string? path)
    {
        var name = path ?? "models.json";
        try
        {
            using var stream = path is null
                ? Assembly.GetExecutingAssembly().GetManifestResourceStream("models.json")!
                : System.IO.File.OpenRead(path);
            var document = JsonSerializer.Deserialize<Document>(stream, Json);
            if (document is not { Version: 1, Models: { } entries })
            {
                throw Broken(name, "it must be an object with \"version\": 1 and \"models\"", null);
            }

            foreach (var entry in entries)
            {
                Check(name, entry);
            }

            if (entries.GroupBy(entry => entry.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } twice)
            {
                throw Broken(name, $"the name '{twice.Key}' occurs twice", null);
            }

            return new ModelCatalogue(entries);
        }
        catch (JsonException e)
        {
            throw Broken(name, $"line {e.LineNumber + 1}, {e.Path}: {e.Message.Split(" Path:")[0]}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Broken(name, e.Message, e);
        }
    }

    /// <summary>Finds an entry by name, in any case.</summary>
    /// <param name="name">The name.</param>
    public CatalogueEntry? Find(string name) =>
        Entries.FirstOrDefault(entry => entry.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static void Check(string file, CatalogueEntry entry)
    {
        if (string.IsNullOrWhiteSpace(entry.Name) || entry.Name.Contains('/', StringComparison.Ordinal))
        {
            throw Broken(file, $"'{entry.Name}' is no name for a model", null);
        }

        if (!ModelSource.TryParse($"{entry.Repo}/{entry.File}", out _) || entry.Bytes <= 0)
        {
            throw Broken(file, $"'{entry.Name}' needs a repo 'owner/name', a file '….gguf' and its bytes", null);
        }

        if (entry.Sha256 is { } hash && (hash.Length != 64 || !hash.All(char.IsAsciiHexDigitLower)))
        {
            throw Broken(file, $"the sha256 of '{entry.Name}' must be 64 lower-case hexadecimal digits", null);
        }
    }

    private static OrchestratorException Broken(string file, string cause, Exception? inner) =>
        new(ErrorKind.Configuration, $"The model catalogue {file} can't be used: {cause}.", "Mend the file, or leave it out to use the built-in one.", inner);

    private sealed record Document(int Version, IReadOnlyList<CatalogueEntry> Models);
}
