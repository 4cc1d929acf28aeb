using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>How execution goes on after a statement.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

internal abstract class Statement(Token at) : Node(at)
{
    public abstract Flow Execute(Frame frame);

    public static Flow ExecuteAll(IReadOnlyList<Statement> body, Frame frame)
    {
        RenderState.CheckStack();
        for (var i = 0; i < body.Count; i++)
        {
            var flow = body[i].Execute(frame);
            if (flow != Flow.Next)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    /// <summary>Renders statements into a text of their own.</summary>
    protected static string Capture(IReadOnlyList<Statement> body, Frame parent)
    {
        var frame = new Frame(parent, new StringBuilder());
        ExecuteAll(body, frame);
        return frame.State.Made(frame.Output.ToString());
    }

    /// <summary>Assigns to a name, a tuple of targets, or an attribute of a namespace.</summary>
    protected static void Assign(Frame frame, Expression target, object? value)
    {
        switch (target)
        {
            case Name name:
                frame.Set(name.Id, value);
                break;
            case NamespaceReference reference:
                reference.Assign(frame, value);
                break;
            case TupleDisplay tuple:
                Unpack(frame, tuple, value);
                break;
        }
    }

    private static void Unpack(Frame frame, TupleDisplay targets, object? value)
    {
        try
        {
            var wanted = targets.Items.Count;
            var items = Py.IsIterable(value) ? Py.ToList(frame.State, value) : throw TemplateFailure.Type($"cannot unpack non-iterable {Py.TypeName(value)} object");
            if (items.Count != wanted)
            {
                throw TemplateFailure.Type(items.Count > wanted
                    ? $"too many values to unpack (expected {wanted})"
                    : $"not enough values to unpack (expected {wanted}, got {items.Count})");
            }

            for (var i = 0; i < wanted; i++)
            {
                Assign(frame, targets.Items[i], items[i]);
            }
        }
        catch (TemplateFailure failure)
        {
            throw failure.At(targets.Line, targets.Column);
        }
    }

    /// <summary>Runs an operation whose failures are to carry this statement's place.</summary>
    protected T Placed<T>(Func<T> operation)
    {
        try
        {
            return operation();
        }
        catch (TemplateFailure failure)
        {
            throw failure.At(Line, Column);
        }
    }
}

internal sealed class Text(Token at) : Statement(at)
{
    private readonly string _text = at.Text;

    public override Flow Execute(Frame frame)
    {
        frame.Write(_text);
        return Flow.Next;
    }
}

internal sealed class Print(Token at, Expression value) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        var result = value.Evaluate(frame);
        try
        {
            frame.Write(result as string ?? Py.Str(frame.State, result));
        }
        catch (TemplateFailure failure)
        {
            throw failure.At(Line, Column);
        }

        return Flow.Next;
    }
}

internal sealed class If(Token at, IReadOnlyList<(Expression Test, IReadOnlyList<Statement> Body)> branches, IReadOnlyList<Statement> otherwise) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        foreach (var (test, body) in branches)
        {
            if (Py.Truth(test.Evaluate(frame)))
            {
                return ExecuteAll(body, frame);
            }
        }

        return ExecuteAll(otherwise, frame);
    }
}

internal sealed class Set(Token at, Expression target, Expression value) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        Assign(frame, target, value.Evaluate(frame));
        return Flow.Next;
    }
}

/// <summary><c>{% set x %}…{% endset %}</c>, with filters perhaps.</summary>
internal sealed class SetBlock(Token at, Expression target, Expression? filter, IReadOnlyList<Statement> body) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        object? value = Capture(body, frame);
        Assign(frame, target, filter is null ? value : BlockInput.Apply(frame, filter, value));
        return Flow.Next;
    }
}

internal sealed class FilterBlock(Token at, Expression filter, IReadOnlyList<Statement> body) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        var value = BlockInput.Apply(frame, filter, Capture(body, frame));
        frame.Write(Placed(() => Py.Str(frame.State, value)));
        return Flow.Next;
    }
}

/// <summary>Stands for the rendered body at the beginning of the filters of a filter or set block.</summary>
internal sealed class BlockInput(Token at) : Expression(at)
{
    // No template can spell this name.
    private const string Variable = "\0body";

    public static object? Apply(Frame frame, Expression filter, object? body)
    {
        var scope = new Frame(frame);
        scope.Set(Variable, body);
        return filter.Evaluate(scope);
    }

    protected override object? Run(Frame frame) => frame.Get(Variable);
}

internal sealed class With(Token at, IReadOnlyList<(Expression Target, Expression Value)> variables, IReadOnlyList<Statement> body) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        var scope = new Frame(frame);
        var values = variables.Select(v => v.Value.Evaluate(frame)).ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            Assign(scope, variables[i].Target, values[i]);
        }

        return ExecuteAll(body, scope);
    }
}

/// <summary>
/// A body in a scope of its own: Hugging Face's <c>{% generation %}</c> (which marks what the model wrote, and
/// renders as its body), and <c>{% block %}</c>, which nothing can override here.
/// </summary>
internal sealed class ScopedBody(Token at, IReadOnlyList<Statement> body, bool fromRoot) : Statement(at)
{
    public override Flow Execute(Frame frame)
    {
        ExecuteAll(body, fromRoot ? new Frame(frame.Root, frame.Output) : new Frame(frame));
        return Flow.Next;
    }
}

internal sealed class Jump(Token at, Flow flow) : Statement(at)
{
    public override Flow Execute(Frame frame) => flow;
}

/// <summary>A statement that needs other templates, which there are none of.</summary>
internal sealed class Unsupported(Token at, string reason) : Statement(at)
{
    public override Flow Execute(Frame frame) => throw new ChatTemplateException(ChatTemplateFault.Security, reason, Line, Column);
}
