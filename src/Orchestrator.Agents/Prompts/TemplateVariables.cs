using System.Text.RegularExpressions;
using Fluid;
using Fluid.Ast;

namespace Orchestrator.Agents.Prompts;

/// <summary>Finds the variables that a template reads, so that one which nobody fills is found before a run.</summary>
internal static partial class TemplateVariables
{
    /// <summary>The variables by first use. Names that the template itself defines, as in loops, are not among them.</summary>
    /// <param name="format">One of <see cref="PromptFormats"/>.</param>
    /// <param name="template">The template.</param>
    /// <exception cref="FormatException">The template is broken.</exception>
    public static IReadOnlyList<string> Find(string format, string template) => format switch
    {
        PromptFormats.Handlebars => [.. Handlebars(template).Distinct()],
        PromptFormats.Liquid => Liquid(template),
        _ => [.. SemanticKernel(template).Distinct()],
    };

    private static IEnumerable<string> SemanticKernel(string template)
    {
        foreach (Match block in SemanticKernelBlock().Matches(template))
        {
            foreach (Match variable in DollarName().Matches(Quoted().Replace(block.Value, "")))
            {
                yield return variable.Groups[1].Value;
            }
        }
    }

    /// <summary>
    /// Within <c>each</c> and <c>with</c> a bare name belongs to the item, so only names outside of them and those
    /// that begin with <c>@root</c> are looked at.
    /// </summary>
    private static IEnumerable<string> Handlebars(string template)
    {
        var blocks = new Stack<(bool OwnScope, IReadOnlyList<string> Parameters)>();
        foreach (Match tag in Mustache().Matches(template))
        {
            var text = tag.Groups["body"].Value.Trim();
            if (text.StartsWith('!'))
            {
                continue;
            }

            if (text.StartsWith('/'))
            {
                blocks.TryPop(out _);
                continue;
            }

            var opens = text.StartsWith('#');
            var parameters = BlockParameters().Match(text);
            var words = Word().Matches(Quoted().Replace(parameters.Success ? text[..parameters.Index] : text, "''").TrimStart('#', '^', '&', '>', '~', ' '));
            var bound = blocks.SelectMany(b => b.Parameters).ToHashSet();
            var inItem = blocks.Any(b => b.OwnScope);
            foreach (var name in words.Select(w => w.Groups[1].Value).Select((w, i) => Root(w, i, words.Count, inItem)).OfType<string>())
            {
                if (!bound.Contains(name))
                {
                    yield return name;
                }
            }

            if (opens)
            {
                var helper = words.Count == 0 ? "" : words[0].Groups[1].Value;
                var names = parameters.Success
                    ? parameters.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                    : [];
                blocks.Push((helper is "each" or "with" || !HandlebarsPromptTemplateFactory.Helpers.Contains(helper), names));
            }
        }
    }

    private static string? Root(string word, int index, int count, bool inItem)
    {
        if (word.StartsWith("@root.", StringComparison.Ordinal))
        {
            return First(word["@root.".Length..]);
        }

        if (inItem || word.StartsWith('@') || word.StartsWith('.') || word is "''" or "this" or "else" or "true" or "false" or "null" or "undefined")
        {
            return null;
        }

        if (char.IsDigit(word[0]) || word[0] == '-')
        {
            return null;
        }

        var name = First(word.StartsWith("this.", StringComparison.Ordinal) ? word["this.".Length..] : word);
        var isHelper = HandlebarsPromptTemplateFactory.Helpers.Contains(word) && (count > 1 || index > 0);
        return isHelper || name.Length == 0 ? null : name;
    }

    private static string First(string path) => path.Split('.', '[', '/')[0];

    private static IReadOnlyList<string> Liquid(string template)
    {
        if (!LiquidPromptTemplateFactory.Parser.TryParse(template, out var parsed, out var error))
        {
            throw new FormatException(error);
        }

        var visitor = new LiquidVisitor();
        visitor.VisitTemplate(parsed);
        return [.. visitor.Used.Distinct().Except(visitor.Defined)];
    }

    /// <summary>Names defined anywhere in the template count as defined everywhere: order is not followed.</summary>
    private sealed class LiquidVisitor : AstVisitor
    {
        public List<string> Used { get; } = [];

        public HashSet<string> Defined { get; } = ["forloop", "tablerowloop", "empty", "blank", "nil"];

        protected override Expression VisitMemberExpression(MemberExpression memberExpression)
        {
            if (memberExpression.Segments.Count > 0 && memberExpression.Segments[0] is IdentifierSegment identifier)
            {
                Used.Add(identifier.Identifier);
            }

            return base.VisitMemberExpression(memberExpression);
        }

        protected override Statement VisitForStatement(ForStatement forStatement)
        {
            Defined.Add(forStatement.Identifier);
            return base.VisitForStatement(forStatement);
        }

        protected override Statement VisitTableRowStatement(TableRowStatement tableRowStatement)
        {
            Defined.Add(tableRowStatement.Identifier);
            return base.VisitTableRowStatement(tableRowStatement);
        }

        protected override Statement VisitAssignStatement(AssignStatement assignStatement)
        {
            Defined.Add(assignStatement.Identifier);
            return base.VisitAssignStatement(assignStatement);
        }

        protected override Statement VisitCaptureStatement(CaptureStatement captureStatement)
        {
            Defined.Add(captureStatement.Identifier);
            return base.VisitCaptureStatement(captureStatement);
        }

        protected override Statement VisitIncrementStatement(IncrementStatement incrementStatement)
        {
            Defined.Add(incrementStatement.Identifier);
            return base.VisitIncrementStatement(incrementStatement);
        }

        protected override Statement VisitDecrementStatement(DecrementStatement decrementStatement)
        {
            Defined.Add(decrementStatement.Identifier);
            return base.VisitDecrementStatement(decrementStatement);
        }
    }

    [GeneratedRegex(@"\{\{(.*?)\}\}", RegexOptions.Singleline)]
    private static partial Regex SemanticKernelBlock();

    [GeneratedRegex(@"\$([A-Za-z0-9_]+)")]
    private static partial Regex DollarName();

    [GeneratedRegex("'[^']*'|\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\{\{!--.*?--\}\}|\{\{\{?~?(?<body>.*?)~?\}?\}\}", RegexOptions.Singleline)]
    private static partial Regex Mustache();

    [GeneratedRegex(@"\s+as\s+\|([^|]*)\|")]
    private static partial Regex BlockParameters();

    [GeneratedRegex(@"(?:[A-Za-z_][A-Za-z0-9_]*=)?([^\s()=]+)")]
    private static partial Regex Word();
}
