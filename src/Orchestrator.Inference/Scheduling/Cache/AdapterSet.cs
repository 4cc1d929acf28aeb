using System.Globalization;
using Orchestrator.Core.Models;

namespace Orchestrator.Inference.Scheduling.Cache;

/// <summary>
/// An ordered list of adapters with their scales. KV cells are shared only between equal ones.
/// </summary>
internal sealed record AdapterSet
{
    /// <summary>The base model.</summary>
    public static readonly AdapterSet None = From([]);

    private readonly string _key;

    private AdapterSet(IReadOnlyList<AdapterUse> adapters)
    {
        Adapters = adapters;
        _key = string.Concat(adapters.Select(a =>
            string.Create(CultureInfo.InvariantCulture, $"{a.Name.Length}:{a.Name}*{a.Scale:R};")));
    }

    /// <summary>The adapters that have an effect.</summary>
    public IReadOnlyList<AdapterUse> Adapters { get; }

    /// <summary>Makes the set; adapters with scale 0 are left out, as they change nothing.</summary>
    /// <param name="adapters">The adapters in order.</param>
    public static AdapterSet From(IReadOnlyList<AdapterUse> adapters) =>
        new([.. adapters.Where(a => a.Scale != 0)]);

    /// <summary>Whether an adapter is among them.</summary>
    public bool Uses(string name) => Adapters.Any(a => a.Name == name);

    /// <summary>The same adapters under other names; null where one of them has none.</summary>
    public AdapterSet? Rename(Func<string, string?> rename)
    {
        var renamed = Adapters.Select(a => rename(a.Name) is { } name ? a with { Name = name } : null).ToList();
        return renamed.Contains(null) ? null : From(renamed!);
    }

    /// <inheritdoc/>
    public bool Equals(AdapterSet? other) => other is not null && _key == other._key;

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_key);

    /// <inheritdoc/>
    public override string ToString() =>
        Adapters.Count == 0 ? "base" : string.Join(" + ", Adapters.Select(a => $"{a.Name} × {a.Scale.ToString(CultureInfo.InvariantCulture)}"));
}
