using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Inference.Store;

/// <summary>
/// The files that were loaded on this machine and did it no harm, each with its size and its time of change, so that
/// another file in the same place is not taken for it. Losing the list costs one more trial of each file.
/// </summary>
internal sealed class KnownModels(string root, TimeProvider time, ILogger logger)
{
    private const int Most = 256;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly string _path = Path.Combine(root, "known.json");

    /// <summary>Whether all files are as they were when they were loaded.</summary>
    /// <param name="files">A model's files.</param>
    /// <param name="runtime">Which native library would load them; another one may fail on what this one reads.</param>
    internal bool Contains(IEnumerable<string> files, string runtime)
    {
        var known = Read().ToHashSet();
        return files.All(file => known.Contains(Entry.Of(file, runtime)));
    }

    /// <summary>Remembers files. A store that can't be written to remembers nothing, which is no fault of the model.</summary>
    internal async Task AddAsync(IReadOnlyCollection<string> files, string runtime, CancellationToken cancellation)
    {
        try
        {
            using var held = await FileLock.AcquireAsync(Path.Combine(root, ".locks", "known.lock"), time, null, cancellation).ConfigureAwait(false);
            var added = files.Select(file => Entry.Of(file, runtime)).ToList();
            var paths = added.Select(entry => entry.Path).ToHashSet(StringComparer.Ordinal);
            var entries = Read().Where(entry => !paths.Contains(entry.Path) && File.Exists(entry.Path)).Concat(added).TakeLast(Math.Max(Most, added.Count));
            var part = _path + ".part";
            await File.WriteAllTextAsync(part, JsonSerializer.Serialize(entries, Json), cancellation).ConfigureAwait(false);
            File.Move(part, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.LogWarning(e, "Which models are known to load could not be written to {Path}", _path);
        }
    }

    private IReadOnlyList<Entry> Read()
    {
        try
        {
            return JsonSerializer.Deserialize<List<Entry>>(File.ReadAllText(_path), Json) ?? [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }

    private sealed record Entry(string Path, long Bytes, DateTime Modified, string Runtime)
    {
        internal static Entry Of(string path, string runtime)
        {
            var file = new FileInfo(System.IO.Path.GetFullPath(path));
            return new Entry(file.FullName, file.Length, file.LastWriteTimeUtc, runtime);
        }
    }
}
