using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Orchestrator.Core;

namespace Orchestrator.Inference.Gguf;

/// <summary>
/// Reads what a GGUF file says about itself, versions 2 and 3, little-endian, in one pass and without touching
/// the weights. Any bytes may be given to it: it returns or throws <see cref="OrchestratorException"/>, in time
/// and memory bounded by the header's size. Whether what was read is a usable model is for
/// the validator to say. Format: the GGUF specification in the ggml repository.
/// </summary>
public static partial class GgufReader
{
    /// <summary>The native loader compares each key, and each tensor's name, with all before it.</summary>
    private const int MaxKeys = 1 << 14;
    private const int MaxTensors = 1 << 16;
    private const int MaxNameBytes = 63;
    private const int MaxKeyBytes = 65535;
    private const int MaxParts = 1024;

    /// <summary>Reads a model: the file, and if it is the first part of a split model, the other parts beside it.</summary>
    /// <param name="path">A GGUF file.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="OrchestratorException">The file, or a part, is missing or isn't a GGUF file.</exception>
    public static GgufModel ReadModel(string path, CancellationToken cancellation = default)
    {
        var first = Read(path, cancellation);
        var count = first.Metadata.Integer("split.count") ?? 0;
        if (count <= 1)
        {
            return new GgufModel([first]);
        }

        if (count > MaxParts)
        {
            throw GgufError.Of([new GgufProblem(path, "split.count", $"{count} parts are more than the {MaxParts} that a model may have")]);
        }

        var name = PartName().Match(Path.GetFileName(path));
        if (!name.Success || int.Parse(name.Groups[3].Value, CultureInfo.InvariantCulture) != count)
        {
            throw GgufError.Of(
                [new GgufProblem(path, "split.count", $"the model has {count} parts, but the file's name doesn't end in -00001-of-{count:D5}.gguf")],
                "Give all parts the names under which they were published.");
        }

        if (name.Groups[2].Value != "00001")
        {
            throw GgufError.Of(
                [new GgufProblem(path, "split.no", $"this is part {name.Groups[2].Value} of {count}")],
                $"Name the first part instead: {name.Groups[1].Value}-00001-of-{count:D5}.gguf.");
        }

        var parts = new List<GgufFile> { first };
        for (var part = 2; part <= count; part++)
        {
            parts.Add(Read(Path.Combine(Path.GetDirectoryName(path) ?? "", $"{name.Groups[1].Value}-{part:D5}-of-{count:D5}.gguf"), cancellation));
        }

        return new GgufModel(parts);
    }

    /// <summary>Reads one file.</summary>
    /// <param name="path">A GGUF file.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="OrchestratorException">The file is missing or isn't a GGUF file.</exception>
    public static GgufFile Read(string path, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return Read(stream, path, cancellation);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OrchestratorException(
                ErrorKind.Model, $"{path}: there is no such file.", "Check the path, or see what is there with `orchestrator model list`.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            var cause = Directory.Exists(path) ? "is a directory, not a GGUF file" : $"can't be read: {e.Message}";
            throw new OrchestratorException(ErrorKind.Model, $"{path}: {cause}", "Name a GGUF file that you may read.", e);
        }
    }

    /// <summary>Reads from a stream.</summary>
    /// <param name="stream">A stream that knows its length, at its start.</param>
    /// <param name="name">What errors call it.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="OrchestratorException">The stream doesn't hold a GGUF file.</exception>
    public static GgufFile Read(Stream stream, string name, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var input = new GgufInput(stream, name, cancellation);
        var version = ReadVersion(input);
        var tensorCount = input.Count("number of tensors", 24, MaxTensors);
        var keyCount = input.Count("number of keys", 13, MaxKeys);

        var metadata = new GgufMetadata();
        for (var i = 0; i < keyCount; i++)
        {
            ReadKey(input, metadata);
        }

        var alignment = ReadAlignment(input, metadata);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tensors = new GgufTensor[tensorCount];
        for (var i = 0; i < tensorCount; i++)
        {
            tensors[i] = ReadTensor(input, names);
        }

        return new GgufFile(name, input.Length, version, metadata, tensors, alignment, GgufFile.Align(input.Position, alignment));
    }

    private static uint ReadVersion(GgufInput input)
    {
        if (input.Length < 24)
        {
            throw input.Error(0, $"not a GGUF file: it has {input.Length} bytes, and a header takes 24");
        }

        var magic = input.UInt32();
        if (magic != 0x46554747)
        {
            var start = string.Concat(BitConverter.GetBytes(magic).Select(b => b is >= 0x20 and < 0x7f ? $"{(char)b}" : $"\\x{b:x2}"));
            throw input.Error(0, $"not a GGUF file: it begins with '{start}', not 'GGUF'");
        }

        var version = input.UInt32();
        return version switch
        {
            2 or 3 => version,
            1 => throw input.Error(4, "GGUF version 1 is no longer supported; convert the model again"),
            _ when (version & 0xffff) == 0 => throw input.Error(4, "the file is big-endian; convert the model for little-endian machines"),
            _ => throw input.Error(4, $"GGUF version {version} is not supported, only 2 and 3"),
        };
    }

    private static void ReadKey(GgufInput input, GgufMetadata metadata)
    {
        var at = input.Position;
        var key = input.Text("key", MaxKeyBytes);
        if (key.Length == 0 || key.Contains('\0', StringComparison.Ordinal))
        {
            throw input.Error(at, "a key is empty or contains a zero byte");
        }

        var typeAt = input.Position;
        var type = (GgufValueType)input.UInt32();
        var value = type == GgufValueType.Array ? ReadArray(input, key) : ReadScalar(input, type, key, typeAt);
        if (!metadata.TryAdd(key, value))
        {
            throw input.Error(at, $"the key '{key}' occurs twice");
        }
    }

    private static GgufValue ReadScalar(GgufInput input, GgufValueType type, string key, long typeAt) => GgufValue.Of(type switch
    {
        GgufValueType.UInt8 => input.Byte(),
        GgufValueType.Int8 => (sbyte)input.Byte(),
        GgufValueType.UInt16 => input.Numbers<ushort>(1)[0],
        GgufValueType.Int16 => input.Numbers<short>(1)[0],
        GgufValueType.UInt32 => input.UInt32(),
        GgufValueType.Int32 => (int)input.UInt32(),
        GgufValueType.Float32 => BitConverter.UInt32BitsToSingle(input.UInt32()),
        GgufValueType.Bool => input.Byte() != 0,
        GgufValueType.String => input.Text($"value of '{key}'"),
        GgufValueType.UInt64 => input.UInt64(),
        GgufValueType.Int64 => (long)input.UInt64(),
        GgufValueType.Float64 => BitConverter.UInt64BitsToDouble(input.UInt64()),
        _ => throw input.Error(typeAt, $"the key '{key}' has the unknown type {(uint)type}"),
    });

    private static GgufValue ReadArray(GgufInput input, string key)
    {
        var at = input.Position;
        var type = (GgufValueType)input.UInt32();
        var bytes = type switch
        {
            GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
            GgufValueType.UInt16 or GgufValueType.Int16 => 2,
            GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
            GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 or GgufValueType.String => 8,
            GgufValueType.Array => throw input.Error(at, $"the key '{key}' is an array of arrays, which no reader supports"),
            _ => throw input.Error(at, $"the key '{key}' is an array of the unknown type {(uint)type}"),
        };
        var count = input.Count($"length of the array '{key}'", bytes);
        return GgufValue.Of(type switch
        {
            GgufValueType.UInt8 => input.Numbers<byte>(count),
            GgufValueType.Int8 => input.Numbers<sbyte>(count),
            GgufValueType.UInt16 => input.Numbers<ushort>(count),
            GgufValueType.Int16 => input.Numbers<short>(count),
            GgufValueType.UInt32 => input.Numbers<uint>(count),
            GgufValueType.Int32 => input.Numbers<int>(count),
            GgufValueType.Float32 => input.Numbers<float>(count),
            GgufValueType.Bool => Array.ConvertAll(input.Numbers<byte>(count), b => b != 0),
            GgufValueType.UInt64 => input.Numbers<ulong>(count),
            GgufValueType.Int64 => input.Numbers<long>(count),
            GgufValueType.Float64 => input.Numbers<double>(count),
            _ => input.Strings(count),
        });
    }

    private static long ReadAlignment(GgufInput input, GgufMetadata metadata)
    {
        if (!metadata.TryGet("general.alignment", out var value))
        {
            return GgufFile.DefaultAlignment;
        }

        // The bound is far above any page size, and keeps offsets far from overflow.
        if (value.Content is not uint alignment || !System.Numerics.BitOperations.IsPow2(alignment) || alignment > 1 << 24)
        {
            throw input.Error(input.Position, $"general.alignment is {value} ({value.TypeName}), but must be a u32 and a power of two");
        }

        return alignment;
    }

    private static GgufTensor ReadTensor(GgufInput input, HashSet<string> names)
    {
        var at = input.Position;
        var name = input.Text("name of a tensor", MaxNameBytes);
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
        {
            throw input.Error(at, "a tensor's name is empty or contains a zero byte");
        }

        if (!names.Add(name))
        {
            throw input.Error(at, $"the tensor '{name}' occurs twice");
        }

        at = input.Position;
        var rank = input.UInt32();
        if (rank is 0 or > 4)
        {
            throw input.Error(at, $"the tensor '{name}' has {rank} dimensions; 1 to 4 are possible");
        }

        var dimensions = new long[rank];
        var elements = 1L;
        for (var d = 0; d < rank; d++)
        {
            at = input.Position;
            var extent = input.UInt64();
            // Bytes are at most 8 times the elements, so that sizes can be computed in 64 bits without a thought.
            if (extent == 0 || extent > long.MaxValue / 64 || elements > long.MaxValue / 64 / (long)extent)
            {
                throw input.Error(at, $"the tensor '{name}' has an impossible extent {extent}");
            }

            dimensions[d] = (long)extent;
            elements *= (long)extent;
        }

        at = input.Position;
        var type = (GgmlType)input.UInt32();
        if (!type.IsKnown())
        {
            throw input.Error(at, $"the tensor '{name}' has the unknown type {(int)type}");
        }

        if (dimensions[0] % type.BlockElements() != 0)
        {
            throw input.Error(at, $"the tensor '{name}' has rows of {dimensions[0]} elements, which {type} can't hold in blocks of {type.BlockElements()}");
        }

        at = input.Position;
        var offset = input.UInt64();
        return offset <= long.MaxValue / 2
            ? new GgufTensor(name, dimensions, type, (long)offset)
            : throw input.Error(at, $"the tensor '{name}' lies at the impossible offset {offset}");
    }

    [GeneratedRegex(@"^(.+)-(\d{5})-of-(\d{5})\.gguf$", RegexOptions.CultureInvariant)]
    private static partial Regex PartName();
}
