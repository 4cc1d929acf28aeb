using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Orchestrator.Core;

namespace Orchestrator.Inference.Gguf;

/// <summary>
/// Reads a GGUF header front to back from a stream of known length. Every length that the file claims is checked
/// against what is left of the file, and against <see cref="MaxHeaderBytes"/>, before anything is allocated for it.
/// </summary>
internal sealed class GgufInput(Stream stream, string name, CancellationToken cancellation)
{
    /// <summary>Metadata of the largest vocabularies takes about 20 MB.</summary>
    internal const long MaxHeaderBytes = 256L << 20;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly long _length = stream.Length;
    private int _start;
    private int _end;

    /// <summary>Bytes taken so far.</summary>
    internal long Position { get; private set; }

    internal long Length => _length;

    internal byte Byte() => Take(1)[0];

    internal uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    internal ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>A count or length that must be followed by at least that many times <paramref name="minBytes"/> bytes.</summary>
    internal int Count(string what, int minBytes, long max = int.MaxValue)
    {
        var at = Position;
        var count = UInt64();
        if (count > (ulong)max)
        {
            throw Error(at, $"the {what} is {count}, which is over the limit of {max}");
        }

        Require(at, what, (long)count * minBytes, $"{count}");
        return (int)count;
    }

    internal string Text(string what, int maxBytes = int.MaxValue)
    {
        var length = Count($"length of the {what}", 1, maxBytes);
        return length <= _buffer.Length
            ? Encoding.UTF8.GetString(Take(length))
            : Encoding.UTF8.GetString(Raw(new byte[length]));
    }

    internal GgufStrings Strings(int count)
    {
        var ends = new int[count];
        var bytes = new byte[Math.Max(256, count * 8)];
        var used = 0;
        for (var i = 0; i < count; i++)
        {
            var length = Count("length of a string", 1);
            if (bytes.Length - used < length)
            {
                Array.Resize(ref bytes, (int)Math.Max(Math.Min(2L * bytes.Length, Array.MaxLength), (long)used + length));
            }

            Raw(bytes.AsSpan(used, length));
            used += length;
            ends[i] = used;
        }

        return new GgufStrings(bytes, ends);
    }

    internal T[] Numbers<T>(int count)
        where T : unmanaged
    {
        var numbers = new T[count];
        Raw(MemoryMarshal.AsBytes(numbers.AsSpan()));
        return numbers;
    }

    internal OrchestratorException Error(long at, string cause) => GgufError.At(name, at, cause);

    private void Require(long at, string what, long bytes, string claimed)
    {
        if (bytes > _length - Position)
        {
            throw Error(at, $"the {what} is {claimed}, but only {_length - Position} bytes are left of the file's {_length}");
        }

        if (Position + bytes > MaxHeaderBytes)
        {
            throw Error(at, $"the {what} is {claimed}, which makes the header larger than {MaxHeaderBytes} bytes");
        }
    }

    private Span<byte> Raw(Span<byte> target)
    {
        for (var rest = target; rest.Length > 0;)
        {
            var part = Take(Math.Min(rest.Length, _buffer.Length));
            part.CopyTo(rest);
            rest = rest[part.Length..];
        }

        return target;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_end - _start < count)
        {
            Fill(count);
        }

        var taken = _buffer.AsSpan(_start, count);
        _start += count;
        Position += count;
        return taken;
    }

    private void Fill(int count)
    {
        cancellation.ThrowIfCancellationRequested();
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        while (_end < count)
        {
            var read = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0)
            {
                throw Error(Position, $"the file ends after {_length} bytes, within its header");
            }

            _end += read;
        }

        if (Position + count > MaxHeaderBytes)
        {
            throw Error(Position, $"the header is larger than {MaxHeaderBytes} bytes");
        }
    }
}
