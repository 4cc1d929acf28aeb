using System.Text.Json;

namespace Orchestrator.Inference.Constraints.Suites;

/// <summary>What became of one schema of a suite.</summary>
public enum SuiteOutcome
{
    /// <summary>All its instances were judged rightly.</summary>
    Passed,

    /// <summary>The schema was refused, with the keyword that can't be enforced.</summary>
    Unsupported,

    /// <summary>A valid instance was rejected for nothing but the order of its properties.</summary>
    RejectedForOrder,

    /// <summary>A valid instance was rejected.</summary>
    WronglyRejected,

    /// <summary>An invalid instance was accepted.</summary>
    WronglyAccepted,
}

/// <summary>One schema's result.</summary>
/// <param name="File">The schema's name.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Keyword">The keyword that can't be enforced, or null.</param>
/// <param name="Detail">The error, or the instance that was misjudged and the byte where it was rejected.</param>
/// <param name="CompileMicroseconds">The time to compile it, in microseconds.</param>
/// <param name="MaskMicroseconds">The time of each mask, in microseconds.</param>
public sealed record SuiteResult(SuiteOutcome Outcome, string File, string? Keyword, string? Detail, double CompileMicroseconds, IReadOnlyList<double> MaskMicroseconds);

/// <summary>
/// Runs a suite of schemas with valid and invalid instances, in the format of MaskBench: a JSON object a line, with
/// <c>file</c>, <c>schema</c> and <c>tests</c>, each test with <c>valid</c> and <c>data</c>. Each instance is written as
/// Python's <c>json.dumps(x, ensure_ascii=False)</c> does, cut into tokens, and followed by the end.
/// </summary>
public sealed class ConstraintSuite
{
    private readonly ConstraintCompiler _compiler;
    private readonly TimeProvider _time;
    private readonly Func<string, IReadOnlyList<int>> _tokenize;

    /// <summary>Creates a runner.</summary>
    /// <param name="compiler">Compiles the schemas.</param>
    /// <param name="tokenize">Cuts a text into tokens; null to take the longest token that fits, again and again.</param>
    /// <param name="time">Measures; null for the system's clock.</param>
    public ConstraintSuite(ConstraintCompiler compiler, Func<string, IReadOnlyList<int>>? tokenize = null, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        ArgumentNullException.ThrowIfNull(compiler);
        _compiler = compiler;
        _tokenize = tokenize ?? compiler.Tokenize;
    }

    /// <summary>Runs one line of a suite.</summary>
    /// <param name="line">The JSON object.</param>
    /// <returns>What became of its schema.</returns>
    /// <exception cref="JsonException">The line is no JSON.</exception>
    public SuiteResult Run(string line)
    {
        using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 512 });
        var root = document.RootElement;
        var file = root.TryGetProperty("file", out var name) ? name.GetString() ?? "" : "";
        var schema = root.GetProperty("schema");
        var masks = new List<double>();
        var started = _time.GetTimestamp();
        ITokenConstraint constraint;
        try
        {
            constraint = _compiler.Compile(new ConstraintDefinition.JsonSchema(schema.GetRawText(), JsonConstraintOptions.Validation));
            _ = constraint.Start().CanEnd;
        }
        catch (ConstraintException error)
        {
            return new SuiteResult(SuiteOutcome.Unsupported, file, error.Keyword, error.Message, Elapsed(started), masks);
        }

        var compile = Elapsed(started);
        var worst = SuiteOutcome.Passed;
        string? detail = null;
        foreach (var (index, test) in root.GetProperty("tests").EnumerateArray().Index())
        {
            var data = test.GetProperty("data");
            var text = PythonJson.Write(data);
            var (accepted, position) = Check(constraint, text, masks);
            var valid = test.GetProperty("valid").GetBoolean();
            if (accepted == valid)
            {
                continue;
            }

            var outcome = accepted ? SuiteOutcome.WronglyAccepted
                : PropertyOrder.IsAllThatIsWrong(constraint, schema, data) ? SuiteOutcome.RejectedForOrder : SuiteOutcome.WronglyRejected;
            if (outcome > worst)
            {
                worst = outcome;
                detail = $"instance {index}{(accepted ? "" : $" at byte {position}")}: {text}";
            }
        }

        return new SuiteResult(worst, file, null, detail, compile, masks);
    }

    private double Elapsed(long started) => _time.GetElapsedTime(started).TotalMicroseconds;

    private (bool Accepted, int Position) Check(ITokenConstraint constraint, string text, List<double> masks)
    {
        var matcher = constraint.Start();
        var position = 0;
        foreach (var token in _tokenize(text))
        {
            var started = _time.GetTimestamp();
            var mask = matcher.Mask();
            masks.Add(Elapsed(started));
            var allowed = (mask[token >> 5] & (1u << (token & 31))) != 0;
            if (allowed != matcher.TryAccept(token))
            {
                throw new InvalidOperationException($"The mask and the matcher disagree on token {token} at byte {position} of {text}");
            }

            if (!allowed)
            {
                return (false, position);
            }

            position += _compiler.Vocabulary.GetBytes(token).Length;
        }

        return (matcher.CanEnd, position);
    }
}
