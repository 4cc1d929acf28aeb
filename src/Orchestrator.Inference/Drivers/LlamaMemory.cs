using Orchestrator.Inference.Native;

namespace Orchestrator.Inference.Drivers;

/// <summary>
/// The sequences of llama.cpp's cache. Of layers with a sliding window the library takes away cells that one sequence
/// alone holds and no longer sees, and the sequence could then not be cut back to where it would. So there each sequence
/// has a twin that holds the same cells, which costs nothing but the number; and one number is spare.
/// </summary>
/// <param name="memory">The context's memory; 0 where the model has none.</param>
/// <param name="window">How many tokens back the layers look; 0 for all, or where the cache can't be cut anyway.</param>
/// <param name="sequences">How many sequences there are, without twins.</param>
internal sealed class LlamaMemory(nint memory, int window, int sequences)
{
    private int[] _named = [];

    /// <summary>How many tokens back the layers with a sliding window look; 0 where nothing need be done for them.</summary>
    public int Window => window;

    /// <summary>A sequence that is always empty between calls; only with a window.</summary>
    public int Spare => 2 * sequences;

    /// <summary>How many sequences the library needs.</summary>
    public static int CountNative(int sequences, int window) => window > 0 ? (2 * sequences) + 1 : sequences;

    /// <summary>How many sequences, without twins, the library can serve of which it needs no more than a number; may be 0.</summary>
    public static int MostOf(int native, int window) => window > 0 ? (native - 1) / 2 : native;

    /// <summary>The sequences that a batch's tokens join, each followed by its twin.</summary>
    public ReadOnlySpan<int> Named(ReadOnlySpan<int> joined)
    {
        if (window == 0)
        {
            return joined;
        }

        if (_named.Length < 2 * joined.Length)
        {
            _named = new int[2 * joined.Length];
        }

        for (var i = 0; i < joined.Length; i++)
        {
            _named[2 * i] = joined[i];
            _named[(2 * i) + 1] = joined[i] + sequences;
        }

        return _named.AsSpan(0, 2 * joined.Length);
    }

    /// <summary>Lets a sequence share another's cells; the same one twice gives its twin what it holds.</summary>
    public void Copy(int source, int destination, int start, int end)
    {
        if (source != destination)
        {
            LlamaApi.MemoryCopy(memory, source, destination, start, end);
        }

        if (window > 0 && destination != Spare)
        {
            LlamaApi.MemoryCopy(memory, source, destination + sequences, start, end);
        }
    }

    /// <summary>Takes a sequence off its cells.</summary>
    /// <returns>False where it can't be cut there.</returns>
    public bool Remove(int sequence, int start, int end) =>
        LlamaApi.MemoryRemove(memory, sequence, start, end)
        && (window == 0 || sequence == Spare || LlamaApi.MemoryRemove(memory, sequence + sequences, start, end));

    /// <summary>The first position that all layers hold of a sequence.</summary>
    public int First(int sequence) => LlamaApi.MemoryFirstPosition(memory, sequence);

    /// <summary>The last position of a sequence, −1 for an empty one.</summary>
    public int Last(int sequence) => LlamaApi.MemoryLastPosition(memory, sequence);
}
