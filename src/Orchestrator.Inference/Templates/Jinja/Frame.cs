using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>A scope of variables, and where output goes.</summary>
internal sealed class Frame
{
    private readonly Frame? _parent;
    private readonly IReadOnlyDictionary<string, object?>? _inputs;
    private string[] _names = [];
    private object?[] _values = [];
    private int _count;

    /// <summary>The outermost frame, over the template's inputs and the environment's globals.</summary>
    public Frame(RenderState state, IReadOnlyDictionary<string, object?> inputs)
    {
        State = state;
        _inputs = inputs;
        Output = new StringBuilder();
        Root = this;
    }

    /// <summary>A scope within another.</summary>
    public Frame(Frame parent, StringBuilder? output = null)
    {
        _parent = parent;
        State = parent.State;
        Output = output ?? parent.Output;
        Root = parent.Root;
    }

    public RenderState State { get; }

    public StringBuilder Output { get; }

    public Frame Root { get; }

    public void Write(string text)
    {
        if ((long)Output.Length + text.Length > State.MaxTextLength)
        {
            State.ChargeText((long)Output.Length + text.Length);
        }

        Output.Append(text);
    }

    public void Set(string name, object? value)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_names[i] == name)
            {
                _values[i] = value;
                return;
            }
        }

        if (_count == _names.Length)
        {
            var size = _count == 0 ? 2 : _count * 2;
            Array.Resize(ref _names, size);
            Array.Resize(ref _values, size);
        }

        _names[_count] = name;
        _values[_count++] = value;
    }

    public object? Get(string name)
    {
        for (var frame = this; ; frame = frame._parent)
        {
            for (var i = 0; i < frame._count; i++)
            {
                if (frame._names[i] == name)
                {
                    return frame._values[i];
                }
            }

            if (frame._parent is null)
            {
                return frame._inputs!.TryGetValue(name, out var value) || Globals.All.TryGetValue(name, out value)
                    ? value
                    : Undefined.Name(name);
            }
        }
    }
}
