namespace Orchestrator.Inference.Store;

/// <summary>The few things that a download asks of the disk; tests put a disk in its place that is full.</summary>
internal interface IStoreFiles
{
    /// <summary>Opens a file to be written to at an offset, keeping what is before it and dropping what is after.</summary>
    Stream OpenAt(string path, long offset);

    /// <summary>Bytes that can still be written to the disk that holds a folder.</summary>
    long FreeBytes(string folder);
}

/// <inheritdoc/>
internal sealed class DiskFiles : IStoreFiles
{
    public Stream OpenAt(string path, long offset)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 1 << 20);
        stream.SetLength(offset);
        stream.Position = offset;
        return stream;
    }

    public long FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(Path.GetFullPath(folder))! : folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Some file systems don't say. Then a full disk is met while writing.
            return long.MaxValue;
        }
    }
}

/// <summary>A lock between processes and within one, held by an open file. The empty file stays: removing it would race.</summary>
internal static class FileLock
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    internal static async Task<IDisposable> AcquireAsync(string path, TimeProvider time, Action? onWait, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException) && File.Exists(path))
            {
                onWait?.Invoke();
                onWait = null;
                await Task.Delay(Poll, time, cancellation);
            }
        }
    }
}
