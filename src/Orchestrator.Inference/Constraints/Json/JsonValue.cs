using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Constraints.Grammars;

namespace Orchestrator.Inference.Constraints.Json;

/// <summary>A value of a schema in the grammar: terminals for its scalars, productions for its arrays and objects.</summary>
/// <param name="end">What stands behind it, or null.</param>
internal sealed class JsonValue(Production? end = null) : Production
{
    /// <summary>Stands for a value that can't be completed.</summary>
    public const int Impossible = int.MaxValue / 4;

    private readonly List<(Terminal Scalar, bool IsEnded)> _scalars = [];
    private readonly List<(Terminal Open, JsonContainer Container)> _containers = [];
    private int _shortest = Impossible;

    /// <summary>The fewest bytes of any of its texts; <see cref="Impossible"/> where there is none.</summary>
    public override int Shortest => _shortest;

    public bool IsPossible => Shortest < Impossible;

    /// <summary>Adds scalars.</summary>
    /// <param name="scalar">Their texts.</param>
    /// <param name="isEnded">Whether the end is a part of them already.</param>
    public void Add(Terminal scalar, bool isEnded = false) => _scalars.Add((scalar, isEnded));

    public void Add(Terminal open, JsonContainer container) => _containers.Add((open, container));

    /// <summary>Recomputes the shortest text from those of the parts; true when it changed.</summary>
    public bool Relax()
    {
        var best = Impossible;
        var behind = end?.Shortest ?? 0;
        foreach (var (scalar, isEnded) in _scalars)
        {
            best = Math.Min(best, scalar.Shortest + (isEnded ? 0 : behind));
        }

        foreach (var (_, container) in _containers)
        {
            best = Math.Min(best, container.Shortest + behind);
        }

        if (best == Shortest)
        {
            return false;
        }

        _shortest = best;
        return true;
    }

    /// <summary>Drops what can't be completed; only after all values have been relaxed.</summary>
    public void Prune() => _containers.RemoveAll(pair => pair.Container.Shortest >= Impossible);

    public override void Expand(Node node, Closure closure) => Begin(closure, node.Parent!);

    /// <summary>Adds the beginnings of the value, after which <paramref name="after"/> follows.</summary>
    public void Begin(Closure closure, Node after)
    {
        var ended = end is null ? after : after.Child(end);
        foreach (var (scalar, isEnded) in _scalars)
        {
            closure.Scan(scalar, isEnded ? after : ended);
        }

        foreach (var (open, container) in _containers)
        {
            closure.Scan(open, ended.Child(container));
        }
    }

    public override int MinBytes(Node node) => Shortest;
}

/// <summary>
/// An array or object in the grammar, behind its opening bracket. Its shortest text counts the brackets, and is at least
/// <see cref="JsonValue.Impossible"/> where it has none, as far as its parts are known.
/// </summary>
internal abstract class JsonContainer : Production;
