namespace Orchestrator.Inference.Constraints.Grammars;

/// <summary>
/// A rule of a grammar, interpreted: it says for each of its positions what comes next.
/// Three integers of the <see cref="Node"/> hold the position.
/// </summary>
internal abstract class Production
{
    /// <summary>The fewest bytes of a text of this production.</summary>
    public abstract int Shortest { get; }

    /// <summary>Adds what can come at a position.</summary>
    public abstract void Expand(Node node, Closure closure);

    /// <summary>Where to go on after a terminal that ended with a tag.</summary>
    public virtual Node Resume(Node node, int tag) => node;

    /// <summary>The fewest bytes from a position to the end of this production.</summary>
    public abstract int MinBytes(Node node);
}

/// <summary>
/// What comes after a terminal: a position in a production, and below it where to go on when that one ends.
/// The chain of parents is the stack of a pushdown automaton. Equal nodes of one matcher are one object.
/// </summary>
internal sealed class Node
{
    private readonly Lock _lock = new();
    private Dictionary<(Production, int, int, int), Node>? _children;
    private Closure? _closure;
    private int _minBytes = -1;

    private Node(Production production, int a, int b, int c, Node? parent)
    {
        Production = production;
        A = a;
        B = b;
        C = c;
        Parent = parent;
    }

    public Production Production { get; }

    public int A { get; }

    public int B { get; }

    public int C { get; }

    public Node? Parent { get; }

    /// <summary>The terminals that can begin here.</summary>
    public Closure Closure
    {
        get
        {
            var closure = _closure;
            if (closure is null)
            {
                closure = new Closure();
                closure.Follow(this);
                closure.Seal();
                _closure = closure;
            }

            return closure;
        }
    }

    /// <summary>The fewest bytes to the end of the whole grammar.</summary>
    public int MinBytes
    {
        get
        {
            if (_minBytes < 0)
            {
                _minBytes = Production.MinBytes(this) + (Parent?.MinBytes ?? 0);
            }

            return _minBytes;
        }
    }

    /// <summary>The bottom of a stack: everything can end there.</summary>
    public static Node Bottom() => new(End.Instance, 0, 0, 0, null);

    /// <summary>Another position with the same parent, in this production.</summary>
    public Node Move(int a, int b = 0, int c = 0) => Parent!.Child(Production, a, b, c);

    /// <summary>A position above this one: when that production ends, this one goes on.</summary>
    public Node Child(Production production, int a = 0, int b = 0, int c = 0)
    {
        lock (_lock)
        {
            _children ??= [];
            if (!_children.TryGetValue((production, a, b, c), out var child))
            {
                child = new Node(production, a, b, c, this);
                _children.Add((production, a, b, c), child);
            }

            return child;
        }
    }

    private sealed class End : Production
    {
        public static readonly End Instance = new();

        public override int Shortest => 0;

        public override void Expand(Node node, Closure closure) => closure.End();

        public override int MinBytes(Node node) => 0;
    }
}
