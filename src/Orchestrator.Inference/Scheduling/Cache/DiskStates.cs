using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// Saved sequences of a model in a folder, so that a restarted host starts warm. Files are written beside their
/// place and moved there; what is damaged or half-written is deleted. The least recently used go first. A disk that
/// can't be written to ends the tier, with one warning, and nothing else.
/// </summary>
/// <remarks>
/// One process uses a model's folder at a time; others go without. Files are written by a task of its own, so that the
/// scheduler doesn't wait for the disk. They are read by the scheduler, which would otherwise compute the same for far
/// longer. A name may stand for another file by the next start, so here adapters are named by the hash of their content.
/// </remarks>
internal sealed partial class DiskStates : IDisposable
{
    private const string Extension = ".kvstate";
    private const string Part = ".part";
    private const int MostWaiting = 8;

    private readonly string _folder;
    private readonly long _capacity;
    private readonly bool _whole;
    private readonly Func<string, Stream> _create;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly FileStream _lock;
    private readonly Lock _gate = new();
    private readonly LinkedList<Entry> _entries = [];
    private readonly Channel<(AdapterPlan Plan, int[] Tokens, byte[] State)> _waiting =
        Channel.CreateBounded<(AdapterPlan, int[], byte[])>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });

    private readonly Task _writer;
    private long _bytes;
    private volatile bool _off;

    private DiskStates(string folder, long capacity, bool whole, Func<string, Stream> create, TimeProvider time, ILogger log, FileStream held)
    {
        _folder = folder;
        _capacity = capacity;
        _whole = whole;
        _create = create;
        _time = time;
        _log = log;
        _lock = held;
        Scan();
        _writer = Task.Run(WriteAllAsync);
    }

    /// <summary>Bytes of the files.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Opens a model's folder and looks through what is there; states themselves are not read.</summary>
    /// <param name="root">The folder of all models.</param>
    /// <param name="model">The driver's fingerprint: whose states can be loaded.</param>
    /// <param name="capacity">The most bytes of this model's files.</param>
    /// <param name="time">The clock that tells when a file was used last.</param>
    /// <param name="log">Where it is told what was deleted.</param>
    /// <param name="create">Makes a file to write to; null for the file system's.</param>
    /// <param name="whole">Whether a sequence is of use only where all of it is a text's beginning.</param>
    /// <returns>The folder's sequences; null where it can't be used, which was logged.</returns>
    public static DiskStates? Open(
        string root, ulong model, long capacity, TimeProvider time, ILogger log, Func<string, Stream>? create = null, bool whole = false)
    {
        FileStream? held = null;
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(root, model.ToString("x16", CultureInfo.InvariantCulture))).FullName;
            held = new FileStream(Path.Combine(folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return new DiskStates(folder, capacity, whole, create ?? File.Create, time, log, held);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            LogNoFolder(log, root, e.Message);
            return null;
        }
    }

    /// <summary>Keeps a sequence; where the disk doesn't keep up, it is left out.</summary>
    public void Add(AdapterPlan plan, int[] tokens, byte[] state)
    {
        if (!_off && state.Length <= _capacity)
        {
            _waiting.Writer.TryWrite((plan, tokens, state));
        }
    }

    /// <summary>Keeps a sequence, and waits while the disk doesn't keep up.</summary>
    public void AddLast(AdapterPlan plan, int[] tokens, byte[] state)
    {
        while (!_off && state.Length <= _capacity && !_waiting.Writer.TryWrite((plan, tokens, state)))
        {
            _waiting.Writer.WaitToWriteAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    /// <summary>Finds the sequence that has the longest beginning in common with a text.</summary>
    /// <param name="plan">What it is to be computed under.</param>
    /// <param name="tokens">The text.</param>
    /// <param name="whole">Whether all of the sequence must be the text's beginning.</param>
    /// <returns>The sequence and how much they have in common; null where there is none.</returns>
    public (Entry Entry, int Length)? Find(AdapterPlan plan, ReadOnlySpan<int> tokens, bool whole)
    {
        (Entry Entry, int Length)? best = null;
        lock (_gate)
        {
            foreach (var entry in _entries)
            {
                var length = plan.CommonLength(entry.Plan, entry.Tokens.AsSpan().CommonPrefixLength(tokens));
                if (length > (best?.Length ?? 0) && (!whole || length == entry.Tokens.Length))
                {
                    best = (entry, length);
                }
            }
        }

        return best;
    }

    /// <summary>Reads a state.</summary>
    /// <returns>The state; null where the file is damaged or gone, and now forgotten.</returns>
    public byte[]? Read(Entry entry)
    {
        try
        {
            byte[] state;
            using (var stream = File.OpenRead(entry.Path))
            {
                var (plan, tokens) = StateFile.ReadHeader(stream);
                state = plan == entry.Plan && tokens.AsSpan().SequenceEqual(entry.Tokens)
                    ? StateFile.ReadState(stream)
                    : throw new InvalidDataException("it is another sequence than before");
            }

            lock (_gate)
            {
                if (_entries.Remove(entry))
                {
                    _entries.AddFirst(entry);
                }
            }

            File.SetLastWriteTimeUtc(entry.Path, _time.GetUtcNow().UtcDateTime);
            return state;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Discard(entry, e.Message);
            return null;
        }
    }

    /// <summary>Deletes a sequence that turned out to be of no use.</summary>
    public void Discard(Entry entry, string reason)
    {
        LogDeleted(_log, entry.Path, reason);
        lock (_gate)
        {
            Forget(entry);
        }
    }

    /// <summary>Writes what still waits, and gives the folder free.</summary>
    public void Dispose()
    {
        _waiting.Writer.TryComplete();
        _writer.GetAwaiter().GetResult();
        _lock.Dispose();
    }

    private void Scan()
    {
        var found = new List<(DateTime Used, Entry Entry)>();
        foreach (var path in Directory.EnumerateFiles(_folder).ToList())
        {
            if (path.EndsWith(Part, StringComparison.Ordinal))
            {
                LogDeleted(_log, path, "it is half-written");
                TryDelete(path);
            }
            else if (path.EndsWith(Extension, StringComparison.Ordinal))
            {
                try
                {
                    using var stream = File.OpenRead(path);
                    var (plan, tokens) = StateFile.ReadHeader(stream);
                    found.Add((File.GetLastWriteTimeUtc(path), new Entry(path, plan, tokens, stream.Length)));
                }
                catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
                {
                    LogDeleted(_log, path, e.Message);
                    TryDelete(path);
                }
            }
        }

        foreach (var (_, entry) in found.OrderBy(f => f.Used))
        {
            Insert(entry);
        }
    }

    private async Task WriteAllAsync()
    {
        await foreach (var (plan, tokens, state) in _waiting.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (_off)
            {
                continue;
            }

            try
            {
                Write(plan, tokens, state);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _off = true;
                LogOff(_log, _folder, e.Message);
            }
        }
    }

    private void Write(AdapterPlan plan, int[] tokens, byte[] state)
    {
        lock (_gate)
        {
            if (_entries.Any(e => Covers(e.Plan, e.Tokens, plan, tokens)))
            {
                return;
            }
        }

        var path = Path.Combine(_folder, Guid.CreateVersion7(_time.GetUtcNow()).ToString("N") + Extension);
        var part = path + Part;
        try
        {
            long length;
            using (var stream = _create(part))
            {
                length = StateFile.Write(stream, plan, tokens, state);
            }

            // Not forced to the disk: what a power cut tears, the checksums find.
            File.SetLastWriteTimeUtc(part, _time.GetUtcNow().UtcDateTime);
            File.Move(part, path);
            lock (_gate)
            {
                Insert(new Entry(path, plan, tokens, length));
            }
        }
        catch
        {
            TryDelete(part);
            throw;
        }
    }

    private void Insert(Entry entry)
    {
        // A sequence that this one continues is of no more use.
        foreach (var covered in _entries.Where(e => Covers(entry.Plan, entry.Tokens, e.Plan, e.Tokens)).ToList())
        {
            Forget(covered);
        }

        _entries.AddFirst(entry);
        Interlocked.Add(ref _bytes, entry.Bytes);
        while (Bytes > _capacity)
        {
            Forget(_entries.Last!.Value);
        }
    }

    private bool Covers(AdapterPlan plan, int[] tokens, AdapterPlan other, int[] shorter) =>
        tokens.AsSpan().StartsWith(shorter) && (!_whole || tokens.Length == shorter.Length)
        && plan.CommonLength(other, shorter.Length) == shorter.Length;

    private void Forget(Entry entry)
    {
        if (_entries.Remove(entry))
        {
            Interlocked.Add(ref _bytes, -entry.Bytes);
            TryDelete(entry.Path);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is looked at again at the next start.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sequences can't be kept in {Folder}: {Reason}")]
    private static partial void LogNoFolder(ILogger log, string folder, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The saved sequence {Path} is deleted: {Reason}.")]
    private static partial void LogDeleted(ILogger log, string path, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No more sequences are saved in {Folder}: {Reason}")]
    private static partial void LogOff(ILogger log, string folder, string reason);

    /// <summary>A sequence's file.</summary>
    internal sealed record Entry(string Path, AdapterPlan Plan, int[] Tokens, long Bytes);
}
