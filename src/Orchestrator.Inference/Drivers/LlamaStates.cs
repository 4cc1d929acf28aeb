using System.Buffers.Binary;
using Orchestrator.Core;
using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Drivers;

/// <summary>
/// Saves and loads sequences. What the library saves of a layer with a sliding window is the window at the sequence's
/// end. So that a loaded sequence can be cut like any other, it is followed by the windows before it, one after another,
/// each saved from a copy of the sequence that ends there. Each part has its length before it.
/// </summary>
internal sealed unsafe class LlamaStates(ContextHandle context, LlamaMemory cells)
{
    private const uint WindowedLayersOnly = 1;

    /// <summary>Writes a sequence's state behind a header that is left empty.</summary>
    public byte[] Save(int sequence, int length, int header)
    {
        var parts = new List<int> { Size(sequence, 0) };
        AtEachWindow(sequence, length, _ => parts.Add(Size(cells.Spare, WindowedLayersOnly)));
        var total = header + parts.Sum(size => size + (long)sizeof(int));
        if (total > Array.MaxLength)
        {
            throw new OrchestratorException(ErrorKind.Model, $"The state of a sequence of {length} tokens takes {total} bytes, more than one block can hold.");
        }

        var state = GC.AllocateUninitializedArray<byte>((int)total);
        var (at, part) = (header, 0);
        Write(sequence, 0);
        AtEachWindow(sequence, length, _ => Write(cells.Spare, WindowedLayersOnly));
        return state;

        void Write(int from, uint flags)
        {
            var size = parts[part++];
            BinaryPrimitives.WriteInt32LittleEndian(state.AsSpan(at), size);
            at += sizeof(int);
            fixed (byte* destination = state.AsSpan(at))
            {
                if (LlamaApi.StateGet(context, destination, (nuint)size, from, flags) != (nuint)size)
                {
                    throw new OrchestratorException(ErrorKind.Model, $"llama.cpp could not save a sequence of {length} tokens.");
                }
            }

            at += size;
        }
    }

    /// <summary>Loads a sequence into an empty one.</summary>
    /// <returns>False where the cache has no room; the sequence may hold a part then.</returns>
    /// <exception cref="InvalidDataException">This is not a state.</exception>
    public bool Load(int sequence, int length, ReadOnlySpan<byte> state)
    {
        if (!Read(sequence, 0, ref state) || cells.Last(sequence) != length - 1)
        {
            return false;
        }

        var first = cells.First(sequence);
        if (cells.Window > 0)
        {
            cells.Copy(sequence, sequence, 0, length);
        }

        for (var end = LastWindow(length); end > 0; end -= cells.Window)
        {
            var known = Read(cells.Spare, WindowedLayersOnly, ref state);
            if (known && first > end - cells.Window)
            {
                cells.Copy(cells.Spare, sequence, end - cells.Window, Math.Min(end, first));
            }

            _ = cells.Remove(cells.Spare, -1, -1);
            if (!known)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Windows begin at multiples of their length; where the last one of a text does.</summary>
    private int LastWindow(int length) => cells.Window > 0 ? Math.Max(0, length - 1) / cells.Window * cells.Window : 0;

    private void AtEachWindow(int sequence, int length, Action<int> then)
    {
        for (var end = LastWindow(length); end > 0; end -= cells.Window)
        {
            cells.Copy(sequence, cells.Spare, 0, end);
            try
            {
                then(end);
            }
            finally
            {
                _ = cells.Remove(cells.Spare, -1, -1);
            }
        }
    }

    private int Size(int sequence, uint flags) => (int)Math.Min(LlamaApi.StateSize(context, sequence, flags), (nuint)Array.MaxLength);

    private bool Read(int sequence, uint flags, ref ReadOnlySpan<byte> state)
    {
        var size = state.Length < sizeof(int) ? -1 : BinaryPrimitives.ReadInt32LittleEndian(state);
        if (size < 0 || size > state.Length - sizeof(int))
        {
            throw new InvalidDataException("The saved sequence is of another version.");
        }

        var part = state.Slice(sizeof(int), size);
        state = state[(sizeof(int) + size)..];
        fixed (byte* source = part)
        {
            return LlamaApi.StateSet(context, source, (nuint)size, sequence, flags) > 0;
        }
    }
}
