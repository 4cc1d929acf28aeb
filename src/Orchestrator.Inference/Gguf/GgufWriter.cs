using System.Text;

namespace Orchestrator.Inference.Gguf;

/// <summary>
/// Writes GGUF version 3 files. Weights are streamed: each tensor brings a function that writes its bytes, so a
/// file may be larger than memory.
/// </summary>
public sealed class GgufWriter
{
    private readonly List<(GgufTensor Tensor, Action<Stream> Write)> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly GgufMetadata _metadata;
    private readonly long _alignment;
    private long _dataLength;

    /// <summary>Starts a file.</summary>
    /// <param name="metadata">Its keys and values; <c>general.alignment</c>, where given, is followed.</param>
    public GgufWriter(GgufMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        _metadata = metadata;
        _alignment = metadata.Integer("general.alignment") ?? GgufFile.DefaultAlignment;
    }

    /// <summary>Adds a tensor.</summary>
    /// <param name="name">Its name, unique in the file, at most 63 bytes.</param>
    /// <param name="dimensions">One to four extents, the row length first.</param>
    /// <param name="type">How the elements are stored.</param>
    /// <param name="write">Writes exactly the tensor's bytes.</param>
    /// <exception cref="ArgumentException">The name or the extents are impossible.</exception>
    public void Add(string name, IReadOnlyList<long> dimensions, GgmlType type, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        ArgumentNullException.ThrowIfNull(dimensions);
        if (Encoding.UTF8.GetByteCount(name) is 0 or > 63 || !_names.Add(name))
        {
            throw new ArgumentException($"'{name}' is empty, over 63 bytes, or used twice.", nameof(name));
        }

        if (dimensions.Count is 0 or > 4 || dimensions.Any(extent => extent <= 0) || dimensions[0] % type.BlockElements() != 0)
        {
            throw new ArgumentException($"A tensor of {type} can't have the extents [{string.Join(", ", dimensions)}].", nameof(dimensions));
        }

        var tensor = new GgufTensor(name, [.. dimensions], type, _dataLength);
        _tensors.Add((tensor, write));
        _dataLength += GgufFile.Align(tensor.Bytes, _alignment);
    }

    /// <summary>Adds a tensor of f32.</summary>
    /// <param name="name">Its name, unique in the file, at most 63 bytes.</param>
    /// <param name="dimensions">One to four extents, the row length first.</param>
    /// <param name="elements">The elements, row by row.</param>
    /// <exception cref="ArgumentException">The extents don't multiply to the number of elements.</exception>
    public void Add(string name, IReadOnlyList<long> dimensions, ReadOnlyMemory<float> elements) =>
        Add(name, dimensions, GgmlType.F32, stream => stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(elements.Span)));

    /// <summary>Writes the file.</summary>
    /// <param name="path">Where to; a file that exists is replaced.</param>
    public void Write(string path)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        Write(stream);
    }

    /// <summary>Writes the file to a stream.</summary>
    /// <param name="stream">A stream that knows its position.</param>
    /// <exception cref="InvalidOperationException">A tensor's function wrote too few or too many bytes.</exception>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var start = stream.Position;
        using var output = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        output.Write("GGUF"u8);
        output.Write(3u);
        output.Write((ulong)_tensors.Count);
        output.Write((ulong)_metadata.Count);
        foreach (var (key, value) in _metadata)
        {
            WriteText(output, Encoding.UTF8.GetBytes(key));
            output.Write((uint)value.Type);
            WriteContent(output, value);
        }

        foreach (var (tensor, _) in _tensors)
        {
            WriteText(output, Encoding.UTF8.GetBytes(tensor.Name));
            output.Write((uint)tensor.Dimensions.Count);
            foreach (var extent in tensor.Dimensions)
            {
                output.Write(extent);
            }

            output.Write((uint)tensor.Type);
            output.Write(tensor.Offset);
        }

        output.Flush();
        Pad(stream, start);
        foreach (var (tensor, write) in _tensors)
        {
            var before = stream.Position;
            write(stream);
            if (stream.Position - before != tensor.Bytes)
            {
                throw new InvalidOperationException(
                    $"The tensor '{tensor.Name}' takes {tensor.Bytes} bytes, but {stream.Position - before} were written.");
            }

            Pad(stream, start);
        }
    }

    private static void WriteText(BinaryWriter output, ReadOnlySpan<byte> text)
    {
        output.Write((ulong)text.Length);
        output.Write(text);
    }

    private static void WriteContent(BinaryWriter output, GgufValue value)
    {
        switch (value.Content)
        {
            case GgufStrings strings:
                output.Write((uint)GgufValueType.String);
                output.Write((ulong)strings.Count);
                for (var i = 0; i < strings.Count; i++)
                {
                    WriteText(output, strings.Utf8(i));
                }

                break;
            case Array array:
                output.Write((uint)value.ElementType!.Value);
                output.Write((ulong)array.Length);
                foreach (var element in array)
                {
                    WriteScalar(output, element);
                }

                break;
            default:
                WriteScalar(output, value.Content);
                break;
        }
    }

    private static void WriteScalar(BinaryWriter output, object scalar)
    {
        switch (scalar)
        {
            case byte v: output.Write(v); break;
            case sbyte v: output.Write(v); break;
            case ushort v: output.Write(v); break;
            case short v: output.Write(v); break;
            case uint v: output.Write(v); break;
            case int v: output.Write(v); break;
            case float v: output.Write(v); break;
            case bool v: output.Write(v); break;
            case string v: WriteText(output, Encoding.UTF8.GetBytes(v)); break;
            case ulong v: output.Write(v); break;
            case long v: output.Write(v); break;
            case double v: output.Write(v); break;
            default: throw new ArgumentException($"GGUF has no type for {scalar.GetType()}.");
        }
    }

    private void Pad(Stream stream, long start)
    {
        var length = stream.Position - start;
        Span<byte> zeros = stackalloc byte[256];
        zeros.Clear();
        for (var missing = GgufFile.Align(length, _alignment) - length; missing > 0;)
        {
            var count = (int)Math.Min(missing, zeros.Length);
            stream.Write(zeros[..count]);
            missing -= count;
        }
    }
}
