using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Core;
using Orchestrator.Inference.Gguf;
using Orchestrator.Testing.Models;

namespace Orchestrator.Inference.Tests.Gguf;

public class GgufRoundTripTests
{
    [Property(MaxTest = 200, Replay = "(1,3)")]
    public Property What_is_written_is_read_back() => Prop.ForAll(Files().ToArbitrary(), file =>
    {
        var (metadata, tensors) = file;
        using var stream = Write(metadata, tensors);
        var read = GgufReader.Read(stream, "memory");

        Assert.Equal(metadata.Select(pair => pair.Key), read.Metadata.Select(pair => pair.Key));
        foreach (var (key, value) in metadata)
        {
            var back = read.Metadata[key];
            Assert.Equal(value.Type, back.Type);
            Assert.Equal(value.ElementType, back.ElementType);
            Assert.Equal(value.Content, back.Content);
        }

        Assert.Equal(tensors.Select(t => (t.Name, t.Type, t.Shape)), read.Tensors.Select(t => (t.Name, t.Type, t.Shape)));
        Assert.All(read.Tensors, t => Assert.Equal(0, t.Offset % read.Alignment));
        Assert.Equal(stream.Length, read.Tensors.Count == 0
            ? read.DataOffset
            : read.DataOffset + GgufFile.Align(read.Tensors[^1].Offset + read.Tensors[^1].Bytes, read.Alignment));
    });

    [Property(MaxTest = 400, Replay = "(5,7)")]
    public Property A_damaged_file_is_read_or_refused_but_never_crashes(int seed) => Prop.ToProperty(() =>
    {
        var bytes = TinyBytes();
        var random = new Random(seed);
        switch (random.Next(3))
        {
            case 0:
                bytes = bytes[..random.Next(bytes.Length)];
                break;
            case 1:
                // Most of what can go wrong is in the first bytes and in lengths.
                for (var i = random.Next(1, 8); i > 0; i--)
                {
                    bytes[random.Next(random.Next(2) == 0 ? 1024 : 12_000)] = (byte)random.Next(256);
                }

                break;
            default:
                random.NextBytes(bytes.AsSpan(random.Next(1024), random.Next(1, 64)));
                break;
        }

        try
        {
            var file = GgufReader.Read(new MemoryStream(bytes), "memory");
            Assert.True(file.DataOffset >= 24);
        }
        catch (OrchestratorException e)
        {
            Assert.Equal(ErrorKind.Model, e.Kind);
            Assert.StartsWith("memory: offset ", e.Message, StringComparison.Ordinal);
            Assert.NotNull(e.Remedy);
        }
    });

    [Fact]
    public void Every_truncation_of_the_header_is_refused()
    {
        var bytes = TinyBytes();
        var header = GgufReader.Read(new MemoryStream(bytes), "memory").DataOffset;
        for (var length = 0; length < header - GgufFile.DefaultAlignment; length += 7)
        {
            Assert.Throws<OrchestratorException>(() => GgufReader.Read(new MemoryStream(bytes[..length]), "memory"));
        }
    }

    private static byte[] TinyBytes()
    {
        using var stream = new MemoryStream();
        TinyModel.Create(stream, new TinyModelOptions { Width = 32, Heads = 2, KeyValueHeads = 1, FeedForward = 32, Vocabulary = 300 });
        return stream.ToArray();
    }

    private static MemoryStream Write(GgufMetadata metadata, IReadOnlyList<GgufTensor> tensors)
    {
        var writer = new GgufWriter(metadata);
        foreach (var tensor in tensors)
        {
            writer.Add(tensor.Name, tensor.Dimensions, tensor.Type, stream => stream.Write(new byte[tensor.Bytes]));
        }

        var stream = new MemoryStream();
        writer.Write(stream);
        stream.Position = 0;
        return stream;
    }

    private static Gen<(GgufMetadata Metadata, IReadOnlyList<GgufTensor> Tensors)> Files()
    {
        var text = Gen.Elements("", "a", "é中", "line\nline", new string('x', 70_000));
        var value = Gen.OneOf(
            Gen.Choose(0, int.MaxValue).Select(v => (GgufValue)v),
            Gen.Choose(0, int.MaxValue).Select(v => (GgufValue)(uint)v),
            Gen.Choose(0, 255).Select(v => GgufValue.Of((byte)v)),
            Gen.Choose(-128, 127).Select(v => GgufValue.Of((sbyte)v)),
            Gen.Choose(0, 65535).Select(v => GgufValue.Of((ushort)v)),
            Gen.Choose(-32768, 32767).Select(v => GgufValue.Of((short)v)),
            Gen.Choose(0, int.MaxValue).Select(v => GgufValue.Of((ulong)v << 30)),
            Gen.Choose(0, int.MaxValue).Select(v => GgufValue.Of(-((long)v << 30))),
            Gen.Choose(0, 1000).Select(v => GgufValue.Of(v / 8f)),
            Gen.Choose(0, 1000).Select(v => GgufValue.Of(v / 8d)),
            Gen.Elements(true, false).Select(v => GgufValue.Of(v)),
            text.Select(v => (GgufValue)v),
            Gen.ArrayOf(Gen.Choose(0, 9)).Select(v => GgufValue.Of(v)),
            Gen.ArrayOf(Gen.Choose(0, 9).Select(v => (byte)v)).Select(v => GgufValue.Of(v)),
            Gen.ArrayOf(Gen.Choose(0, 9).Select(v => (float)v)).Select(v => GgufValue.Of(v)),
            Gen.ArrayOf(Gen.Choose(0, 9).Select(v => (ulong)v)).Select(v => GgufValue.Of(v)),
            Gen.ArrayOf(Gen.Elements(true, false)).Select(v => GgufValue.Of(v)),
            Gen.ArrayOf(text).Select(v => (GgufValue)v));
        var tensor = Gen.Elements(Enum.GetValues<GgmlType>()).SelectMany(type =>
            Gen.ArrayOf(Gen.Choose(1, 5)).Where(extents => extents.Length is >= 1 and <= 4).Select(extents =>
                (Type: type, Extents: (IReadOnlyList<long>)[extents[0] * type.BlockElements(), .. extents.Skip(1)])));
        return
            from values in Gen.ArrayOf(value)
            from tensors in Gen.ArrayOf(tensor)
            from alignment in Gen.Elements(0u, 1u, 32u, 64u, 4096u)
            select (Metadata(values, alignment), Tensors(tensors));
    }

    private static GgufMetadata Metadata(GgufValue[] values, uint alignment)
    {
        var metadata = new GgufMetadata();
        for (var i = 0; i < values.Length; i++)
        {
            metadata[$"key.{i}"] = values[i];
        }

        if (alignment > 0)
        {
            metadata["general.alignment"] = alignment;
        }

        return metadata;
    }

    private static IReadOnlyList<GgufTensor> Tensors((GgmlType Type, IReadOnlyList<long> Extents)[] tensors) =>
        [.. tensors.Select((t, i) => new GgufTensor($"tensor.{i}", t.Extents, t.Type, 0))];
}
