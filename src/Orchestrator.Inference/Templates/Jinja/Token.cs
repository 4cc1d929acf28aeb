namespace Orchestrator.Inference.Templates.Jinja;

internal enum TokenKind
{
    Data,
    BlockBegin,
    BlockEnd,
    VariableBegin,
    VariableEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>One token of a template.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The data, the name, the operator, or the string's value with escapes resolved.</param>
/// <param name="Line">Line in the source, from 1.</param>
/// <param name="Column">Column in the line, from 1.</param>
/// <param name="Value">The number of an integer (long or BigInteger) or float (double).</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, int Column, object? Value = null)
{
    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    public bool IsOperator(string op) => Kind == TokenKind.Operator && Text == op;

    public string Describe() => Kind switch
    {
        TokenKind.Data => "template text",
        TokenKind.BlockBegin => "begin of statement block",
        TokenKind.BlockEnd => "end of statement block",
        TokenKind.VariableBegin => "begin of print statement",
        TokenKind.VariableEnd => "end of print statement",
        TokenKind.End => "end of template",
        TokenKind.String => "a string",
        _ => $"'{Text}'",
    };
}
