using System.Runtime.InteropServices;

namespace Orchestrator.Inference.Drivers;

/// <summary>
/// A driver's own book of what its cache holds: which cell stands at each position of each sequence, and how many
/// sequences share it. Every call is checked against it before the library sees it, by the rules of llama.cpp's batch
/// allocator and of what it leaves to assertions; and it can say whether a cell was leaked, which the library cannot.
/// </summary>
internal sealed class CellLedger
{
    private const int Gap = -1;

    private readonly int _vocabularySize;
    private readonly int _batchSize;
    private readonly List<int>[] _sequences;
    private readonly List<int> _owners = [];
    private readonly Stack<int> _free = [];

    // Of the batch being checked: where each sequence goes on, and its last token (0 for none yet).
    private readonly int[] _next;
    private readonly int[] _last;
    private readonly int[] _seenInBatch;
    private readonly int[] _seenInToken;
    private readonly List<int> _touched = [];
    private int _batch;
    private int _token;

    /// <summary>Starts with an empty cache.</summary>
    /// <param name="vocabularySize">Token ids are 0 to this, exclusive.</param>
    /// <param name="batchSize">The most tokens a batch may have.</param>
    /// <param name="maxSequences">Sequences are 0 to this, exclusive.</param>
    public CellLedger(int vocabularySize, int batchSize, int maxSequences)
    {
        _vocabularySize = vocabularySize;
        _batchSize = batchSize;
        _sequences = new List<int>[maxSequences];
        for (var i = 0; i < maxSequences; i++)
        {
            _sequences[i] = [];
        }

        _next = new int[maxSequences];
        _last = new int[maxSequences];
        _seenInBatch = new int[maxSequences];
        _seenInToken = new int[maxSequences];
    }

    /// <summary>Cells that some sequence holds.</summary>
    public int Used => _owners.Count - _free.Count;

    /// <summary>The sequences that the last checked batch extends.</summary>
    public IReadOnlyList<int> Touched => _touched;

    /// <summary>The position after the last of a sequence, 0 for an empty one.</summary>
    public int LengthOf(int sequence) => Cells(sequence).Count;

    /// <summary>Throws unless the batch may be given to the library.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="canCut">Whether a token may join several sequences, as only cells can be shared token by token.</param>
    /// <exception cref="ArgumentException">It may not; the message names the token and the reason.</exception>
    public void Check(DecodeBatch batch, bool canCut)
    {
        _touched.Clear();
        _batch++;
        if (batch.Count == 0)
        {
            throw new ArgumentException("A batch needs at least one token.", nameof(batch));
        }

        if (batch.Count > _batchSize)
        {
            throw new ArgumentException($"A batch of {batch.Count} tokens is larger than the batch size, {_batchSize}.", nameof(batch));
        }

        for (var index = 0; index < batch.Count; index++)
        {
            var token = batch.Tokens[index];
            if ((uint)token >= (uint)_vocabularySize)
            {
                throw new ArgumentException($"Token {index} of the batch has id {token}; the vocabulary has {_vocabularySize}.", nameof(batch));
            }

            if (!canCut && batch.SequencesOf(index).Length > 1)
            {
                throw new ArgumentException(
                    $"Token {index} of the batch joins several sequences, which this model's cache can't do; compute it in one, and copy that.", nameof(batch));
            }

            CheckSequences(batch, index);
        }
    }

    /// <summary>Enters a checked batch that the library has computed.</summary>
    public void Add(DecodeBatch batch)
    {
        for (var index = 0; index < batch.Count; index++)
        {
            var sequences = batch.SequencesOf(index);
            var cell = Take(sequences.Length);
            foreach (var sequence in sequences)
            {
                _sequences[sequence].Add(cell);
            }
        }
    }

    /// <summary>Enters new cells at the end of a sequence.</summary>
    public void Add(int sequence, int count)
    {
        var cells = Cells(sequence);
        for (var i = 0; i < count; i++)
        {
            cells.Add(Take(1));
        }
    }

    /// <summary>Enters that a sequence shares cells of another.</summary>
    /// <param name="source">The sequence to share from.</param>
    /// <param name="destination">The sequence that gets them.</param>
    /// <param name="start">First position.</param>
    /// <param name="end">The position after the last.</param>
    /// <param name="canCut">Whether a part may be shared.</param>
    /// <exception cref="ArgumentException">It cannot be; nothing was entered.</exception>
    public void Share(int source, int destination, int start, int end, bool canCut)
    {
        var from = Cells(source);
        var to = Cells(destination);
        if (source == destination || start < 0 || end < start || end > from.Count)
        {
            throw new ArgumentException($"Sequence {source} has positions 0 to {from.Count}; {start} to {end} cannot be shared with {destination}.");
        }

        if (!canCut && (start != 0 || end != from.Count || to.Count != 0))
        {
            throw new ArgumentException("This model's cache can only be shared whole, with an empty sequence.");
        }

        var added = CollectionsMarshal.AsSpan(from)[start..end];
        var replaced = CollectionsMarshal.AsSpan(to)[Math.Min(start, to.Count)..Math.Min(end, to.Count)];
        if (start > to.Count || added.Contains(Gap) || replaced.ContainsAnyExcept(Gap))
        {
            throw new ArgumentException($"Sequence {destination} ends at {to.Count}; sharing {start} to {end} would leave a gap or replace cells.");
        }

        added[..replaced.Length].CopyTo(replaced);
        to.AddRange(added[replaced.Length..]);
        foreach (var cell in added)
        {
            _owners[cell]++;
        }
    }

    /// <summary>Enters that a sequence gives up positions; a gap in its middle must be filled before it goes on.</summary>
    public void Remove(int sequence, int start, int end)
    {
        var cells = Cells(sequence);
        end = Math.Min(end, cells.Count);
        for (var position = start; position < end; position++)
        {
            if (cells[position] is not Gap and var cell)
            {
                if (--_owners[cell] == 0)
                {
                    _free.Push(cell);
                }

                cells[position] = Gap;
            }
        }

        var length = cells.Count;
        while (length > 0 && cells[length - 1] == Gap)
        {
            length--;
        }

        cells.RemoveRange(length, cells.Count - length);
    }

    private int Take(int owners)
    {
        if (_free.TryPop(out var cell))
        {
            _owners[cell] = owners;
            return cell;
        }

        _owners.Add(owners);
        return _owners.Count - 1;
    }

    private List<int> Cells(int sequence) => (uint)sequence < (uint)_sequences.Length
        ? _sequences[sequence]
        : throw new ArgumentOutOfRangeException(nameof(sequence), sequence, $"Sequences are numbered 0 to {_sequences.Length - 1}.");

    private void CheckSequences(DecodeBatch batch, int index)
    {
        var sequences = batch.SequencesOf(index);
        var position = batch.Positions[index];
        if (sequences.IsEmpty)
        {
            throw new ArgumentException($"Token {index} of the batch belongs to no sequence.", nameof(batch));
        }

        _token++;
        foreach (var sequence in sequences)
        {
            if ((uint)sequence >= (uint)_sequences.Length)
            {
                throw new ArgumentException($"Token {index} of the batch names sequence {sequence}; there are {_sequences.Length}.", nameof(batch));
            }

            if (_seenInToken[sequence] == _token)
            {
                throw new ArgumentException($"Token {index} of the batch names sequence {sequence} twice.", nameof(batch));
            }

            _seenInToken[sequence] = _token;
            if (_seenInBatch[sequence] != _batch)
            {
                _seenInBatch[sequence] = _batch;
                _touched.Add(sequence);
                _next[sequence] = _sequences[sequence].Count;
                _last[sequence] = 0;
                if (_sequences[sequence].Contains(Gap))
                {
                    throw new ArgumentException($"Sequence {sequence} has a gap.", nameof(batch));
                }
            }

            if (position != _next[sequence])
            {
                throw new ArgumentException(
                    $"Token {index} of the batch has position {position} in sequence {sequence}, which goes on at {_next[sequence]}.", nameof(batch));
            }

            // Sequences that differ may not share what follows; the library compares only their lengths. Those whose
            // last token in this batch is the same one were compared when they first met.
            var first = sequences[0];
            if (_last[sequence] != _last[first] || (_last[sequence] == 0 && sequence != first && !SameCells(sequence, first)))
            {
                throw new ArgumentException($"Token {index} of the batch is shared by sequences {first} and {sequence}, which differ before it.", nameof(batch));
            }
        }

        foreach (var sequence in sequences)
        {
            _next[sequence] = position + 1;
            _last[sequence] = index + 1;
        }
    }

    private bool SameCells(int sequence, int other) =>
        CollectionsMarshal.AsSpan(_sequences[sequence]).SequenceEqual(CollectionsMarshal.AsSpan(_sequences[other]));
}
