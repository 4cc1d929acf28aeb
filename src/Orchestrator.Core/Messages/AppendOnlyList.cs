using System.Collections;

namespace Orchestrator.Core.Messages;

/// <summary>
/// An immutable list whose adding is O(1) amortised: lists that grew from each other share one array, of which each
/// sees its own beginning. The first to add after a list's end gets the place in the shared array; others copy.
/// </summary>
internal sealed class AppendOnlyList<T> : IList<T>, IReadOnlyList<T>
{
    private readonly Store _store;
    private readonly T? _last;
    private readonly bool _hasLast;
    private readonly int _shared;

    private AppendOnlyList(Store store, int shared, bool hasLast = false, T? last = default)
    {
        _store = store;
        _shared = shared;
        _hasLast = hasLast;
        _last = last;
    }

    public int Count => _shared + (_hasLast ? 1 : 0);

    public bool IsReadOnly => true;

    public T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return index < _shared ? _store.Items[index] : _last!;
        }

        set => throw ReadOnly();
    }

    /// <summary>An empty list, with an array of its own.</summary>
    internal static AppendOnlyList<T> Create() => new(new Store([]), 0);

    /// <summary>A list with one item more.</summary>
    /// <param name="item">The item.</param>
    /// <param name="share">
    /// Whether others will grow from the new list; where not, it takes no place in the shared array, which stays free
    /// for one that does.
    /// </param>
    internal AppendOnlyList<T> Add(T item, bool share = true)
    {
        if (_hasLast)
        {
            throw new InvalidOperationException("A list that shares nothing does not grow.");
        }

        return share ? new AppendOnlyList<T>(_store.Append(_shared, item), _shared + 1) : new(_store, _shared, true, item);
    }

    public IEnumerator<T> GetEnumerator()
    {
        var items = _store.Items;
        for (var i = 0; i < _shared; i++)
        {
            yield return items[i];
        }

        if (_hasLast)
        {
            yield return _last!;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public int IndexOf(T item)
    {
        for (var i = 0; i < Count; i++)
        {
            if (EqualityComparer<T>.Default.Equals(this[i], item))
            {
                return i;
            }
        }

        return -1;
    }

    public bool Contains(T item) => IndexOf(item) >= 0;

    public void CopyTo(T[] array, int arrayIndex)
    {
        Array.Copy(_store.Items, 0, array, arrayIndex, _shared);
        if (_hasLast)
        {
            array[arrayIndex + _shared] = _last!;
        }
    }

    void ICollection<T>.Add(T item) => throw ReadOnly();

    void ICollection<T>.Clear() => throw ReadOnly();

    bool ICollection<T>.Remove(T item) => throw ReadOnly();

    void IList<T>.Insert(int index, T item) => throw ReadOnly();

    void IList<T>.RemoveAt(int index) => throw ReadOnly();

    private static NotSupportedException ReadOnly() => new("A transcript's messages are read only; copy the list to change it.");

    private sealed class Store(T[] items)
    {
        private readonly Lock _lock = new();
        private int _used = items.Length;

        internal T[] Items { get; private set; } = items;

        /// <summary>Puts an item after the first <paramref name="count"/>, here where that place is free.</summary>
        internal Store Append(int count, T item)
        {
            lock (_lock)
            {
                if (_used != count)
                {
                    return new Store([.. Items.AsSpan(0, count), item]);
                }

                if (count == Items.Length)
                {
                    var larger = new T[Math.Max(4, count * 2)];
                    Items.AsSpan().CopyTo(larger);
                    Items = larger;
                }

                Items[count] = item;
                _used++;
                return this;
            }
        }
    }
}
