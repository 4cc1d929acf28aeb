using Orchestrator.Runs.Journals;

namespace Orchestrator.Runs.Tests.Journals;

/// <summary>A file in memory that can be full and tells what was flushed.</summary>
internal sealed class FakeLogFile : ILogFile
{
    private readonly Lock _lock = new();
    private byte[] _bytes = [];
    private byte[] _flushed = [];

    internal int? Room { get; init; }

    internal Action? BeforeFlush { get; init; }

    internal int Flushes { get; private set; }

    internal int Length => _bytes.Length;

    internal int FlushedLength => _flushed.Length;

    internal byte[] Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    internal byte[] Flushed
    {
        get
        {
            lock (_lock)
            {
                return _flushed;
            }
        }
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        lock (_lock)
        {
            Assert.Equal(_bytes.Length, offset);
            var room = (Room ?? int.MaxValue) - _bytes.Length;
            _bytes = [.. _bytes, .. bytes[..Math.Min(room, bytes.Length)]];
            if (room < bytes.Length)
            {
                throw new IOException("No space left on device");
            }
        }
    }

    public void Flush()
    {
        BeforeFlush?.Invoke();
        lock (_lock)
        {
            Flushes++;
            _flushed = _bytes;
        }
    }

    public void Truncate(long length)
    {
        lock (_lock)
        {
            _bytes = _bytes[..(int)length];
        }
    }

    public void Dispose()
    {
    }
}
