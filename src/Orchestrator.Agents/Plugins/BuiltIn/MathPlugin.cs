using System.ComponentModel;
using System.Globalization;
using Microsoft.SemanticKernel;

namespace Orchestrator.Agents.Plugins.BuiltIn;

/// <summary>Computes expressions.</summary>
internal sealed class MathPlugin
{
    [KernelFunction("evaluate")]
    [Description("Computes an expression such as (3 + 4) * 2 ^ 0.5 or max(1, sqrt(2)).")]
    public string Evaluate([Description("The expression: + - * / % ^, parentheses, pi, e, and functions such as sqrt, abs, min, max, round, floor, ceil, ln, log10, exp, sin, cos, tan.")] string expression) =>
        MathExpression.Evaluate(expression).ToString("R", CultureInfo.InvariantCulture);
}
