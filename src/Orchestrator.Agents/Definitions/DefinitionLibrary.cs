using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Core;

namespace Orchestrator.Agents.Definitions;

/// <summary>
/// The definitions in some folders, by name, reloaded while the host runs. A file that breaks while it is edited keeps
/// its last good definition, and says so.
/// </summary>
/// <typeparam name="T">What a file defines.</typeparam>
public abstract class DefinitionLibrary<T> : IDisposable
    where T : class
{
    // An editor writes a file in several steps.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);

    private readonly Lock _lock = new();
    private readonly string _noun;
    private readonly IReadOnlyList<string> _folders;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly Dictionary<string, Entry> _files = new(StringComparer.Ordinal);
    private ITimer? _timer;
    private bool _loaded;

    private protected DefinitionLibrary(
        string noun, IReadOnlyList<string> folders, TimeProvider timeProvider, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(folders);
        ArgumentNullException.ThrowIfNull(timeProvider);
        ArgumentNullException.ThrowIfNull(logger);
        _noun = noun;
        _folders = folders;
        _timeProvider = timeProvider;
        _logger = logger;
    }

    /// <summary>Raised after files were reloaded, with the names of the definitions that are new, changed or gone.</summary>
    public event EventHandler<DefinitionsChangedEventArgs>? Changed;

    /// <summary>The folders that are looked in; of two definitions with one name the one in the earlier folder counts.</summary>
    public IReadOnlyList<string> Folders => _folders;

    /// <summary>All definitions, by name in ordinal order; a file that never was good has none.</summary>
    public IReadOnlyList<T> All
    {
        get
        {
            lock (_lock)
            {
                Load();
                return [.. Current().OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => d.Value)];
            }
        }
    }

    /// <summary>What is wrong with the files that are broken now, in the order of the folders and files.</summary>
    public IReadOnlyList<DefinitionError> Errors
    {
        get
        {
            lock (_lock)
            {
                Load();
                return [.. _files.Values.SelectMany(f => f.Error?.Errors ?? [])];
            }
        }
    }

    /// <summary>Finds a definition.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The definition.</returns>
    /// <exception cref="OrchestratorException">There is none of this name, or its file is broken and never was good.</exception>
    public T Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (_lock)
        {
            Load();
            var current = Current();
            if (current.TryGetValue(name, out var definition))
            {
                return definition;
            }

            foreach (var (path, entry) in _files)
            {
                if (entry.Error is { } error && Path.GetFileNameWithoutExtension(path) == name)
                {
                    throw error;
                }
            }

            throw new OrchestratorException(
                ErrorKind.Configuration,
                Spelling.Sentence($"There is no {_noun} '{name}'{Spelling.Hint(name, current.Keys)}"),
                _folders.Count == 0 ? null : $"Put {name}.yaml into {_folders[0]}.");
        }
    }

    /// <summary>Looks at the files again, now.</summary>
    public void Refresh()
    {
        List<string> changed;
        lock (_lock)
        {
            var before = Current();
            _loaded = true;
            ReadFiles();
            var after = Current();
            changed = [.. before.Keys.Union(after.Keys)
                .Where(k => !before.TryGetValue(k, out var b) || !after.TryGetValue(k, out var a) || !ReferenceEquals(a, b))
                .Order(StringComparer.Ordinal)];
        }

        if (changed.Count > 0)
        {
            Changed?.Invoke(this, new DefinitionsChangedEventArgs(changed));
        }
    }

    /// <summary>Begins to watch the folders; edits are taken up within a second. Folders that don't exist are not watched.</summary>
    public void Watch()
    {
        lock (_lock)
        {
            Load();
            if (_watchers.Count > 0)
            {
                return;
            }

            foreach (var folder in _folders.Where(Directory.Exists))
            {
                var watcher = new FileSystemWatcher(folder, "*.yaml");
                watcher.Changed += (_, _) => Touch();
                watcher.Created += (_, _) => Touch();
                watcher.Deleted += (_, _) => Touch();
                watcher.Renamed += (_, _) => Touch();
                watcher.EnableRaisingEvents = true;
                _watchers.Add(watcher);
            }
        }
    }

    /// <summary>Stops watching.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _watchers.ForEach(w => w.Dispose());
            _watchers.Clear();
            _timer?.Dispose();
            _timer = null;
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Takes note that a file changed; it is read once it has settled.</summary>
    internal void Touch()
    {
        lock (_lock)
        {
            _timer ??= _timeProvider.CreateTimer(_ => Refresh(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(Settle, Timeout.InfiniteTimeSpan);
        }
    }

    private protected abstract T Read(string path, string text, string sha256);

    private protected abstract string NameOf(T definition);

    private void Load()
    {
        if (!_loaded)
        {
            _loaded = true;
            ReadFiles();
        }
    }

    private Dictionary<string, T> Current()
    {
        var current = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var entry in _files.Values)
        {
            if (entry.Definition is { } definition)
            {
                current.TryAdd(NameOf(definition), definition);
            }
        }

        return current;
    }

    private void ReadFiles()
    {
        var old = new Dictionary<string, Entry>(_files, StringComparer.Ordinal);
        _files.Clear();
        foreach (var path in _folders.Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*.yaml").Order(StringComparer.Ordinal)))
        {
            _files[path] = ReadFile(path, old.GetValueOrDefault(path));
        }
    }

    private Entry ReadFile(string path, Entry? before)
    {
        var sha256 = "";
        try
        {
            var bytes = File.ReadAllBytes(path);
            sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
            if (before?.Sha256 == sha256)
            {
                return before;
            }

            using var reader = new StreamReader(new MemoryStream(bytes));
            return new Entry(sha256, Read(path, reader.ReadToEnd(), sha256), null);
        }
        catch (DefinitionException e)
        {
            LogBroken(path, before, e.Message);
            return new Entry(sha256, before?.Definition, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogBroken(path, before, e.Message);
            return new Entry("", before?.Definition, new DefinitionException(
                new DefinitionError(path, 1, 1, "", $"the file can't be read: {e.Message}")));
        }
    }

    private void LogBroken(string path, Entry? before, string message)
    {
        if (before?.Definition is not null)
        {
            _logger.LogError("{File} is broken; its last good version stays in use. {Error}", path, message);
        }
        else
        {
            _logger.LogError("{File} is broken. {Error}", path, message);
        }
    }

    private sealed record Entry(string Sha256, T? Definition, DefinitionException? Error);
}

/// <summary>What changed in a <see cref="DefinitionLibrary{T}"/>.</summary>
/// <param name="names">The names of the definitions.</param>
public sealed class DefinitionsChangedEventArgs(IReadOnlyList<string> names) : EventArgs
{
    /// <summary>The names of the definitions that are new, changed or gone.</summary>
    public IReadOnlyList<string> Names { get; } = names;
}
