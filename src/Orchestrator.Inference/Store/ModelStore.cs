using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orchestrator.Core;
using Orchestrator.Inference.Deciding;
using Orchestrator.Inference.Gguf;

namespace Orchestrator.Inference.Store;

/// <summary>
/// The models on this machine: pulled from a hub, or added by path. Every file is recorded with its SHA-256, so
/// that damage is found later. Several processes may use one store at once.
/// </summary>
public sealed class ModelStore
{
    /// <summary>The name of the HTTP client that the store asks the factory for.</summary>
    public const string HttpClientName = "Orchestrator.ModelStore";

    private readonly IHttpClientFactory _http;
    private readonly ModelStoreOptions _options;
    private readonly IStoreFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelStore> _logger;
    private readonly string _root;
    private readonly ModelIndex _index;
    private readonly Lazy<ModelCatalogue> _catalogue;

    internal ModelStore(
        IHttpClientFactory http, IOptions<ModelStoreOptions> options, IStoreFiles files, TimeProvider time, ILogger<ModelStore> logger)
    {
        _http = http;
        _options = options.Value;
        _files = files;
        _time = time;
        _logger = logger;
        _root = Path.GetFullPath(_options.Root);
        _index = new ModelIndex(_root, time);
        Known = new KnownModels(_root, time, logger);
        _catalogue = new(() => ModelCatalogue.Load(_options.CataloguePath));
    }

    /// <summary>The folder that the store keeps models in.</summary>
    public string Root => _root;

    /// <summary>The files that were loaded here before.</summary>
    internal KnownModels Known { get; }

    /// <summary>The models that can be pulled by name.</summary>
    /// <exception cref="OrchestratorException">The catalogue file is broken.</exception>
    public ModelCatalogue Catalogue => _catalogue.Value;

    /// <summary>The models on this machine, by name.</summary>
    /// <exception cref="OrchestratorException">The list can't be read.</exception>
    public IReadOnlyList<ModelRecord> List() => _index.Read();

    /// <summary>Finds a model on this machine by name, in any case.</summary>
    /// <param name="name">Its name.</param>
    public ModelRecord? Find(string name) =>
        List().FirstOrDefault(record => record.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a file was pulled here and is the one that the catalogue knows by its SHA-256.</summary>
    internal bool IsOfCatalogue(string path) =>
        List().FirstOrDefault(record => record.Path == Path.GetFullPath(path)) is { Files: [var file] } record
        && file.Sha256 == Catalogue.Find(record.Name)?.Sha256
        && new FileInfo(file.Path) is { Exists: true } now && now.Length == file.Bytes;

    /// <summary>Fetches a model, or an adapter, or returns at once where it is here already.</summary>
    /// <param name="nameOrSource">A catalogue's name, <c>owner/repo/file.gguf</c> on the hub, or an address.</param>
    /// <param name="progress">Told how far it is, about ten times a second.</param>
    /// <param name="cancellation">Stops the pull; what has come stays, and the next pull goes on from there.</param>
    /// <exception cref="OrchestratorException">It can't be fetched, doesn't fit on the disk, or isn't the model that it should be.</exception>
    public async Task<ModelRecord> PullAsync(string nameOrSource, IProgress<PullProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(nameOrSource);
        var entry = Catalogue.Find(nameOrSource);
        if (!ModelSource.TryParse(entry is null ? nameOrSource : $"{entry.Repo}/{entry.File}", out var source))
        {
            throw new OrchestratorException(
                ErrorKind.Usage,
                $"'{nameOrSource}' names no model that can be pulled.",
                $"Use a name ({string.Join(", ", Catalogue.Entries.Select(e => e.Name))}), OWNER/REPO/FILE.gguf, or an address that ends in .gguf.");
        }

        var files = new List<StoredFile>();
        var parts = source.Parts();
        foreach (var part in parts)
        {
            files.Add(await PullFileAsync(part, parts.Count == 1 ? entry : null, progress, cancellation));
        }

        if (parts.Count > 1)
        {
            GgufValidator.ReadValid(files[0].Path, cancellation);
        }

        var record = new ModelRecord(
            entry?.Name ?? Path.GetFileNameWithoutExtension(parts[0].FileName), files[0].Path, files, source.ToString(), _time.GetUtcNow())
        {
            Adapter = AdapterInfo.Of(GgufReader.Read(files[0].Path, cancellation)),
        };
        await PutAsync(record, cancellation);
        return record;
    }

    /// <summary>Adds a model, or an adapter, that is on this machine already.</summary>
    /// <param name="path">A GGUF file, or the first part of a split one.</param>
    /// <param name="name">The name to use it by, or null for the file's.</param>
    /// <param name="copy">Whether to copy it into the store; else it stays where it is.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="OrchestratorException">The file isn't a sound model, or the name is taken by another one.</exception>
    public async Task<ModelRecord> AddAsync(string path, string? name = null, bool copy = false, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        name ??= Path.GetFileNameWithoutExtension(path);
        if (name.Length == 0 || name.IndexOfAny(['/', '\\', ':']) >= 0)
        {
            throw new OrchestratorException(ErrorKind.Usage, $"'{name}' is no name for a model.", "Use letters, digits, dots and dashes.");
        }

        path = Path.GetFullPath(path);
        var model = GgufReader.ReadModel(path, cancellation);
        var adapter = AdapterInfo.Of(model.Parts[0]);
        if (adapter is null)
        {
            GgufValidator.Validate(model);
        }
        else
        {
            AdapterValidator.ValidateAlone(model.Parts[0]);
        }

        if (Find(name) is { } taken && taken.Path != path)
        {
            throw new OrchestratorException(
                ErrorKind.Usage, $"The name '{name}' is taken by {taken.Path}.", "Give another name with --name, or remove that one first.");
        }

        var files = new List<StoredFile>();
        foreach (var part in model.Parts)
        {
            var target = part.Path;
            if (copy)
            {
                target = Path.Combine(_root, "added", name, Path.GetFileName(part.Path));
                await CopyAsync(part.Path, target, cancellation);
            }

            files.Add(new StoredFile(target, part.Length, await HashAsync(target, cancellation)));
        }

        var record = new ModelRecord(name, files[0].Path, files, null, _time.GetUtcNow())
        {
            Adapter = adapter,
        };
        await PutAsync(record, cancellation);
        return record;
    }

    /// <summary>Forgets a model, and deletes its files where the store keeps them. Files outside of the store are left alone.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>What was removed.</returns>
    /// <exception cref="OrchestratorException">There is no such model.</exception>
    public async Task<ModelRecord> RemoveAsync(string name, CancellationToken cancellation = default)
    {
        var record = Find(name) ?? throw Missing(name);
        await _index.ChangeAsync(
            records => records.Where(other => !other.Name.Equals(record.Name, StringComparison.OrdinalIgnoreCase)), cancellation);
        // Another name may stand for the same file.
        var kept = List().SelectMany(other => other.Files).Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var file in record.Files.Where(file => IsOwn(file.Path) && !kept.Contains(file.Path)))
        {
            File.Delete(file.Path);
            File.Delete(DecisionProfileFile.PathOf(file.Path));
        }

        return record;
    }

    /// <summary>Compares a model's files with what was recorded of them, and checks that they are sound.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="OrchestratorException">A file is missing, changed or damaged; the error says which and how.</exception>
    public async Task<ModelRecord> VerifyAsync(string name, CancellationToken cancellation = default)
    {
        var record = Find(name) ?? throw Missing(name);
        foreach (var file in record.Files)
        {
            if (!File.Exists(file.Path))
            {
                throw Gone(record, file.Path);
            }

            var hash = await HashAsync(file.Path, cancellation);
            if (hash != file.Sha256)
            {
                throw new OrchestratorException(
                    ErrorKind.Model,
                    $"{file.Path} has changed: its SHA-256 is {hash}, and {file.Sha256} was recorded on {record.Added:yyyy-MM-dd}.",
                    $"Remove it and fetch it again: orchestrator model remove {record.Name}");
            }
        }

        if (record.Adapter is null)
        {
            GgufValidator.ReadValid(record.Path, cancellation);
        }
        else
        {
            AdapterValidator.ValidateAlone(GgufReader.Read(record.Path, cancellation));
        }

        return record;
    }

    /// <summary>The file of a model that a person named, or of the one to use where none is named.</summary>
    /// <param name="nameOrPath">A GGUF file's path or a model's name; null or empty for the proposed model, or the only one here.</param>
    /// <returns>The file's path.</returns>
    /// <exception cref="ModelMissingException">It isn't on this machine; the error says which to pull, how large it is, and the command.</exception>
    public string Resolve(string? nameOrPath)
    {
        var records = List();
        if (string.IsNullOrWhiteSpace(nameOrPath))
        {
            var proposed = Catalogue.Proposed;
            var present = records.Where(record => record.Adapter is null && record.Exists).ToList();
            return (present.FirstOrDefault(record => record.Name == proposed?.Name) ?? (present.Count == 1 ? present[0] : null))?.Path
                ?? throw new ModelMissingException(
                    present.Count == 0 ? "There is no model on this machine." : "No model is named, and there are several on this machine.",
                    present.Count == 0 ? PullHint(proposed) : $"Name one with --model: {string.Join(", ", present.Select(record => record.Name))}",
                    present.Count == 0 ? proposed : null);
        }

        if (File.Exists(nameOrPath))
        {
            return nameOrPath;
        }

        if (records.FirstOrDefault(record => record.Name.Equals(nameOrPath, StringComparison.OrdinalIgnoreCase)) is { } found)
        {
            if (found.Adapter is { } adapter)
            {
                throw new OrchestratorException(
                    ErrorKind.Usage,
                    $"'{found.Name}' is an adapter for {adapter}, not a model.",
                    "Name the model, and the adapter where it is used: `adapter:` in a team, or MODEL:ADAPTER as the model of a request.");
            }

            return found.Exists ? found.Path : throw Gone(found, found.Files.First(file => !File.Exists(file.Path)).Path);
        }

        throw Missing(nameOrPath);
    }

    private async Task<StoredFile> PullFileAsync(
        ModelSource source, CatalogueEntry? entry, IProgress<PullProgress>? progress, CancellationToken cancellation)
    {
        var target = Path.Combine(_root, source.RelativePath);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var lockName = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(target)))[..24] + ".lock";
        using var held = await FileLock.AcquireAsync(
            Path.Combine(_root, ".locks", lockName),
            _time,
            () => progress?.Report(new PullProgress(PullStage.Waiting, source.FileName, 0, entry?.Bytes, 0)),
            cancellation);

        // What was recorded on the first pull holds for all later ones.
        var recorded = List().SelectMany(record => record.Files).FirstOrDefault(file => file.Path == target);
        var wanted = entry?.Sha256 ?? recorded?.Sha256;
        if (File.Exists(target))
        {
            var present = new StoredFile(target, new FileInfo(target).Length, await HashAsync(target, cancellation));
            if (wanted is null || present.Sha256 == wanted)
            {
                return present;
            }
        }

        var part = target + ".part";
        var exact = entry is { BytesApproximate: false } ? entry.Bytes : (long?)null;
        var client = _http.CreateClient(HttpClientName);
        var stated = await new ModelDownload(client, _options, _files, _time, _logger).FetchAsync(source, part, exact, progress, cancellation);

        var length = new FileInfo(part).Length;
        progress?.Report(new PullProgress(PullStage.Verifying, source.FileName, length, length, 0));
        try
        {
            var header = Sound(part, target, cancellation);
            var hash = await HashAsync(part, cancellation);
            if ((wanted ?? stated) is { } other && other != hash)
            {
                throw new OrchestratorException(
                    ErrorKind.Model,
                    $"{source} has the SHA-256 {hash}, but {other} {(entry?.Sha256 is not null ? "is in the catalogue" : recorded is not null ? "was recorded on the first pull" : "is what the hub states")}.",
                    recorded is not null ? "If the file was published anew, remove the model first, then pull it." : "Pull again; if it stays, the server gives out another file.");
            }

            File.Move(part, target, overwrite: true);
            return new StoredFile(target, header.Length, hash);
        }
        catch (OrchestratorException)
        {
            // It is complete and wrong: there is nothing to go on from.
            File.Delete(part);
            throw;
        }
    }

    /// <summary>A file that came from outside is checked before it takes its place; errors name the place, not the part.</summary>
    private static GgufFile Sound(string part, string target, CancellationToken cancellation)
    {
        using var stream = File.OpenRead(part);
        var file = GgufReader.Read(stream, target, cancellation);
        if (AdapterValidator.IsAdapter(file))
        {
            AdapterValidator.ValidateAlone(file);
        }
        else if ((file.Metadata.Integer("split.count") ?? 0) <= 1)
        {
            GgufValidator.Validate(new GgufModel([file]));
        }

        return file;
    }

    private async Task CopyAsync(string from, string to, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        var free = _files.FreeBytes(Path.GetDirectoryName(to)!);
        var needed = new FileInfo(from).Length + _options.SpareBytes;
        if (needed > free)
        {
            throw new OrchestratorException(
                ErrorKind.Model, $"Copying {from} needs {ByteSize.Format(needed)}, but only {ByteSize.Format(free)} are free.", "Free some space, or add the file without --copy.");
        }

        var part = to + ".part";
        await using (var source = File.OpenRead(from))
        await using (var target = _files.OpenAt(part, 0))
        {
            await source.CopyToAsync(target, cancellation);
        }

        File.Move(part, to, overwrite: true);
    }

    private Task PutAsync(ModelRecord record, CancellationToken cancellation) => _index.ChangeAsync(
        records => records.Where(other => !other.Name.Equals(record.Name, StringComparison.OrdinalIgnoreCase)).Append(record), cancellation);

    private bool IsOwn(string path) => path.StartsWith(_root + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static async Task<string> HashAsync(string path, CancellationToken cancellation)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation));
    }

    private ModelMissingException Missing(string name)
    {
        if (Catalogue.Find(name) is { } entry)
        {
            return new ModelMissingException($"The model '{entry.Name}' is not on this machine.", PullHint(entry), entry);
        }

        var known = List().Select(record => record.Name).Concat(Catalogue.Entries.Select(e => e.Name)).Distinct(StringComparer.OrdinalIgnoreCase);
        return new ModelMissingException(
            Directory.Exists(name) ? $"{name}: this is a folder, not a model."
                : name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? $"{name}: there is no such file."
                : $"There is no model '{name}'.",
            $"Name a GGUF file, or one of: {string.Join(", ", known)}",
            null);
    }

    private static ModelMissingException Gone(ModelRecord record, string path) => new(
        $"The model '{record.Name}' was at {path}, but the file is gone.",
        record.Source is null ? $"Put it back, or forget it: orchestrator model remove {record.Name}" : $"Fetch it again: orchestrator model pull {record.Source}",
        null);

    private static string PullHint(CatalogueEntry? entry) => entry is null
        ? "Add one with `orchestrator model add PATH`."
        : $"Pull it ({entry.Size}, licence {entry.Licence}): orchestrator model pull {entry.Name}";
}
