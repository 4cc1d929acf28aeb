using System.Text.Json;
using Orchestrator.Core;

namespace Orchestrator.Inference.Store;

/// <summary>The list of models on this machine, in one file that is replaced as a whole under a lock.</summary>
internal sealed class ModelIndex(string root, TimeProvider time)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Two changes of a file closer to each other than this may leave the same time of change.</summary>
    private static readonly TimeSpan FileTimeStep = TimeSpan.FromSeconds(2);

    private readonly string _path = Path.Combine(root, "index.json");
    private Known? _known;

    /// <summary>The models; read from the file where it has changed since, by whatever process.</summary>
    internal IReadOnlyList<ModelRecord> Read()
    {
        var file = new FileInfo(_path);
        var (length, changed) = file.Exists ? (file.Length, file.LastWriteTimeUtc) : (0, default);
        if (Volatile.Read(ref _known) is { } known && known.Length == length && known.Changed == changed)
        {
            return known.Records;
        }

        var now = time.GetUtcNow().UtcDateTime;
        var records = ReadFile();

        // What was changed just now may be changed again without another length or time.
        Volatile.Write(ref _known, file.Exists && changed < now - FileTimeStep ? new Known(length, changed, records) : null);
        return records;
    }

    private IReadOnlyList<ModelRecord> ReadFile()
    {
        try
        {
            using var stream = File.OpenRead(_path);
            var entries = JsonSerializer.Deserialize<List<Entry>>(stream, Json) ?? [];
            return [.. entries.Select(entry => new ModelRecord(
                entry.Name,
                Full(entry.Files[0].Path),
                [.. entry.Files.Select(file => file with { Path = Full(file.Path) })],
                entry.Source,
                entry.Added)
            {
                Adapter = entry.Adapter,
            })];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NullReferenceException)
        {
            throw new OrchestratorException(
                ErrorKind.Configuration,
                $"{_path}: the list of models can't be read: {e.Message}",
                "Remove the file, and add the models again with `orchestrator model add PATH`. No model is lost.",
                e);
        }
    }

    internal async Task ChangeAsync(Func<IReadOnlyList<ModelRecord>, IEnumerable<ModelRecord>> change, CancellationToken cancellation)
    {
        using var held = await FileLock.AcquireAsync(Path.Combine(root, ".locks", "index.lock"), time, null, cancellation);
        var entries = change(ReadFile())
            .OrderBy(record => record.Name, StringComparer.OrdinalIgnoreCase)
            .Select(record => new Entry(record.Name, [.. record.Files.Select(file => file with { Path = Relative(file.Path) })], record.Source, record.Added, record.Adapter));
        var part = _path + ".part";
        await using (var stream = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            await JsonSerializer.SerializeAsync(stream, entries, Json, cancellation);
            stream.Flush(flushToDisk: true);
        }

        File.Move(part, _path, overwrite: true);
    }

    /// <summary>Files of the store are recorded relative to it, so that the folder can be moved.</summary>
    private string Relative(string path)
    {
        var relative = Path.GetRelativePath(root, path);
        return relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? path : relative.Replace('\\', '/');
    }

    private string Full(string path) => Path.GetFullPath(Path.Combine(root, path));

    private sealed record Known(long Length, DateTime Changed, IReadOnlyList<ModelRecord> Records);

    private sealed record Entry(string Name, IReadOnlyList<StoredFile> Files, string? Source, DateTimeOffset Added, AdapterInfo? Adapter = null);
}
