using System.Text;

namespace Orchestrator.Inference.Templates.Jinja;

/// <summary>A node of the tree; the place is that of its first token, or of the operator.</summary>
internal abstract class Node(Token at)
{
    public int Line { get; } = at.Line;

    public int Column { get; } = at.Column;
}

/// <summary>An expression. Failures in it carry its place.</summary>
internal abstract class Expression(Token at) : Node(at)
{
    public object? Evaluate(Frame frame)
    {
        try
        {
            RenderState.CheckStack();
            frame.State.Charge();
            return Run(frame);
        }
        catch (TemplateFailure failure)
        {
            throw failure.At(Line, Column);
        }
    }

    protected abstract object? Run(Frame frame);
}

internal sealed class Constant(Token at, object? value) : Expression(at)
{
    public object? Value { get; } = value;

    protected override object? Run(Frame frame) => Value;
}

internal sealed class Name(Token at, string id) : Expression(at)
{
    public string Id { get; } = id;

    protected override object? Run(Frame frame) => frame.Get(Id);
}

/// <summary><c>ns.attribute</c> as the target of an assignment.</summary>
internal sealed class NamespaceReference(Token at, string name, string attribute) : Expression(at)
{
    public void Assign(Frame frame, object? value)
    {
        if (frame.Get(name) is not Namespace target)
        {
            throw TemplateFailure.Type("cannot assign attribute on non-namespace object").At(Line, Column);
        }

        target.Attributes[attribute] = value;
    }

    protected override object? Run(Frame frame) => throw TemplateFailure.Type("this is only a target of assignments");
}

internal sealed class TupleDisplay(Token at, IReadOnlyList<Expression> items) : Expression(at)
{
    public IReadOnlyList<Expression> Items { get; } = items;

    protected override object? Run(Frame frame) => new PyTuple([.. Items.Select(i => i.Evaluate(frame))]);
}

internal sealed class ListDisplay(Token at, IReadOnlyList<Expression> items) : Expression(at)
{
    protected override object? Run(Frame frame)
    {
        var list = new List<object?>(items.Count);
        foreach (var item in items)
        {
            list.Add(item.Evaluate(frame));
        }

        return new PyList(list);
    }
}

internal sealed class DictDisplay(Token at, IReadOnlyList<(Expression Key, Expression Value)> items) : Expression(at)
{
    protected override object? Run(Frame frame)
    {
        var dict = new PyDict();
        foreach (var (key, value) in items)
        {
            dict[key.Evaluate(frame)] = value.Evaluate(frame);
        }

        return dict;
    }
}

internal sealed class AttributeAccess(Token at, Expression owner, string name) : Expression(at)
{
    protected override object? Run(Frame frame) => Lookup.Attribute(frame.State, owner.Evaluate(frame), name);
}

internal sealed class ItemAccess(Token at, Expression owner, Expression key) : Expression(at)
{
    protected override object? Run(Frame frame) => key is SliceDisplay slice
        ? slice.Apply(frame, owner.Evaluate(frame))
        : Lookup.Item(frame.State, owner.Evaluate(frame), key.Evaluate(frame));
}

internal sealed class SliceDisplay(Token at, Expression? start, Expression? stop, Expression? step) : Expression(at)
{
    public object? Apply(Frame frame, object? value)
        => Lookup.Slice(frame.State, value, start?.Evaluate(frame), stop?.Evaluate(frame), step?.Evaluate(frame));

    protected override object? Run(Frame frame) => throw TemplateFailure.Type("a slice can only stand alone in brackets");
}

internal sealed class BinaryOperation(Token at, string op, Expression left, Expression right) : Expression(at)
{
    protected override object? Run(Frame frame) => Operators.Binary(frame.State, op, left.Evaluate(frame), right.Evaluate(frame));
}

/// <summary><c>a ~ b ~ c</c>: the texts of all, joined.</summary>
internal sealed class Concatenation(Token at, IReadOnlyList<Expression> parts) : Expression(at)
{
    protected override object? Run(Frame frame)
    {
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            text.Append(Py.Str(frame.State, part.Evaluate(frame)));
            frame.State.ChargeText(text.Length);
        }

        return text.ToString();
    }
}

internal sealed class UnaryOperation(Token at, string op, Expression operand) : Expression(at)
{
    protected override object? Run(Frame frame) => op == "not"
        ? PyNumber.Box(!Py.Truth(operand.Evaluate(frame)))
        : Operators.Unary(op, operand.Evaluate(frame));
}

/// <summary><c>and</c>, <c>or</c>: the value is that of the operand which decides.</summary>
internal sealed class LogicalOperation(Token at, bool isAnd, Expression left, Expression right) : Expression(at)
{
    protected override object? Run(Frame frame)
    {
        var value = left.Evaluate(frame);
        return Py.Truth(value) == isAnd ? right.Evaluate(frame) : value;
    }
}

internal sealed class Comparison(Token at, Expression first, IReadOnlyList<(string Op, Expression Operand)> rest) : Expression(at)
{
    protected override object? Run(Frame frame)
    {
        var left = first.Evaluate(frame);
        foreach (var (op, operand) in rest)
        {
            var right = operand.Evaluate(frame);
            if (!Operators.Compare(frame.State, op, left, right))
            {
                return PyNumber.Box(false);
            }

            left = right;
        }

        return PyNumber.Box(true);
    }
}

/// <summary><c>a if test else b</c>.</summary>
internal sealed class Conditional(Token at, Expression test, Expression then, Expression? otherwise) : Expression(at)
{
    protected override object? Run(Frame frame)
    {
        if (Py.Truth(test.Evaluate(frame)))
        {
            return then.Evaluate(frame);
        }

        return otherwise is not null
            ? otherwise.Evaluate(frame)
            : new Undefined($"the inline if-expression on line {Line} evaluated to false and no else section was defined.");
    }
}

/// <summary>The arguments as written at a call, a filter or a test.</summary>
internal sealed record ArgumentList(
    IReadOnlyList<Expression> Positional,
    IReadOnlyList<(string Name, Expression Value)> Named,
    Expression? Rest,
    Expression? NamedRest)
{
    public static ArgumentList Empty { get; } = new([], [], null, null);

    public Arguments Evaluate(Frame frame)
    {
        if (Positional.Count == 0 && Named.Count == 0 && Rest is null && NamedRest is null)
        {
            return Arguments.None;
        }

        var positional = new object?[Positional.Count];
        for (var i = 0; i < positional.Length; i++)
        {
            positional[i] = Positional[i].Evaluate(frame);
        }

        if (Rest is not null)
        {
            positional = [.. positional, .. Py.ToList(frame.State, Rest.Evaluate(frame))];
        }

        Dictionary<string, object?>? named = null;
        foreach (var (name, value) in Named)
        {
            (named ??= [])[name] = value.Evaluate(frame);
        }

        if (NamedRest is not null)
        {
            var rest = NamedRest.Evaluate(frame) as PyDict ?? throw TemplateFailure.Type("argument after ** must be a mapping");
            foreach (var (key, value) in rest.Items)
            {
                (named ??= [])[Py.RequireText(key, "keywords")] = value;
            }
        }

        return new Arguments(positional, named);
    }
}

internal sealed class Call(Token at, Expression callee, ArgumentList arguments) : Expression(at)
{
    public Expression Callee { get; } = callee;

    public ArgumentList Arguments { get; } = arguments;

    protected override object? Run(Frame frame)
    {
        var target = Callee.Evaluate(frame);
        return Py.Call(frame.State, target, Arguments.Evaluate(frame));
    }
}

internal sealed class FilterApplication(Token at, Expression value, string name, Filter? filter, ArgumentList arguments) : Expression(at)
{
    protected override object? Run(Frame frame)
    {
        var input = value.Evaluate(frame);
        return (filter ?? throw TemplateFailure.Type($"No filter named {PyText.Repr(name)}."))(frame.State, input, arguments.Evaluate(frame));
    }
}

internal sealed class TestApplication(Token at, Expression value, string name, Test? test, ArgumentList arguments) : Expression(at)
{
    protected override object? Run(Frame frame)
    {
        var input = value.Evaluate(frame);
        return PyNumber.Box((test ?? throw TemplateFailure.Type($"No test named {PyText.Repr(name)}."))(frame.State, input, arguments.Evaluate(frame)));
    }
}

internal delegate object? Filter(RenderState state, object? value, Arguments arguments);

internal delegate bool Test(RenderState state, object? value, Arguments arguments);
