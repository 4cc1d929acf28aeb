using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Runs.Journals;

/// <summary>The file below a journal; a seam, so that tests can fill the disk.</summary>
internal interface ILogFile : IDisposable
{
    /// <summary>Writes all bytes at an offset.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Returns when everything written is on disk.</summary>
    void Flush();

    /// <summary>Cuts the file off.</summary>
    void Truncate(long length);
}

/// <summary>A new file in the file system.</summary>
internal sealed class LogFile(string path) : ILogFile
{
    private readonly SafeFileHandle _handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(_handle, bytes, offset);
        }
        catch (ArgumentOutOfRangeException e)
        {
            // So .NET reports EFBIG: a quota or the file system lets the file grow no further.
            throw new IOException("The file system or a quota does not let it grow any further.", e);
        }
    }

    public void Flush() => RandomAccess.FlushToDisk(_handle);

    public void Truncate(long length) => RandomAccess.SetLength(_handle, length);

    public void Dispose() => _handle.Dispose();
}
