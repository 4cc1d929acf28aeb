using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Constraints.Suites;

namespace Orchestrator.Inference.Tests.Constraints;

/// <summary>What random schemas were tried, and what was wrong.</summary>
internal sealed record RandomOutcome(int Schemas, int Refused, int Outputs, int Mutants, int MutantsValid, int OutOfOrder, IReadOnlyList<string> Faults);

/// <summary>
/// Generates from random schemas with a model of random weights (any allowed token, as likely as any other), and
/// changes the outputs at random; an independent validator judges both.
/// </summary>
internal sealed partial class RandomGeneration(ConstraintCompiler compiler, AjvValidator validator)
{
    private const int MaxTokens = 150;

    public RandomOutcome Run(int seed, int count, int outputs, int mutants)
    {
        var (schemas, refused, made, changed, valid, order) = (0, 0, 0, 0, 0, 0);
        var faults = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var random = new Random((seed * 1_000_003) + i);
            var formats = random.Next(3) == 0;
            var schema = new RandomSchema(random, formats).Draw().ToJsonString();
            ITokenConstraint constraint, exact;
            var options = new JsonConstraintOptions
            {
                MaxStringLength = 1 + random.Next(12),
                MaxItems = 1 + random.Next(4),
                MaxAdditionalProperties = random.Next(4),
                MaxDigits = 1 + random.Next(6),
                UndeclaredProperties = random.Next(2) == 0,
                AnySpelling = random.Next(3) == 0,
                Whitespace = (JsonWhitespace)random.Next(2),
            };
            try
            {
                constraint = compiler.Compile(new ConstraintDefinition.JsonSchema(schema, options));
                exact = compiler.Compile(new ConstraintDefinition.JsonSchema(schema, JsonConstraintOptions.Validation));
            }
            catch (ConstraintException)
            {
                refused++;
                continue;
            }

            schemas++;
            var texts = new List<string>();
            for (var n = 0; n < outputs; n++)
            {
                texts.Add(Generate(constraint, random, faults, schema));
            }

            var generated = texts.Count;
            for (var n = 0; n < mutants; n++)
            {
                texts.Add(Mutate(texts[random.Next(generated)], random));
            }

            if (validator.Validate(schema, texts) is not { } verdicts)
            {
                // It recurses without end, or the like.
                refused++;
                schemas--;
                continue;
            }

            for (var n = 0; n < texts.Count; n++)
            {
                var accepted = IsAccepted(exact, texts[n]);
                if (n < generated)
                {
                    made++;
                    if (!verdicts[n] || !accepted)
                    {
                        faults.Add($"generated, ajv {verdicts[n]}, exact {accepted}: {texts[n]} under {schema} with {options}");
                    }

                    continue;
                }

                changed++;
                valid += verdicts[n] ? 1 : 0;
                if (accepted == verdicts[n] || formats)
                {
                    continue;
                }

                if (verdicts[n] && IsOnlyOrder(exact, schema, texts[n]))
                {
                    order++;
                }
                else
                {
                    faults.Add($"changed, ajv {verdicts[n]}, accepted {accepted}: {texts[n]} under {schema}");
                }
            }
        }

        return new RandomOutcome(schemas, refused, made, changed, valid, order, faults);
    }

    private static bool IsOnlyOrder(ITokenConstraint exact, string schema, string text)
    {
        // To us, halves of surrogate pairs are no text, and what overflows a double is no number. Multiples are written
        // without exponents, in as many digits as a double holds.
        if ((schema.Contains("multipleOf", StringComparison.Ordinal) && ExponentOrManyDigits().IsMatch(text)) || text.Contains("\\ud", StringComparison.OrdinalIgnoreCase) || HugeExponent().IsMatch(text))
        {
            return true;
        }

        using var parsedSchema = JsonDocument.Parse(schema);
        using var parsed = JsonDocument.Parse(text);
        return PropertyOrder.IsAllThatIsWrong(exact, parsedSchema.RootElement, parsed.RootElement);
    }

    [GeneratedRegex("[eE][+-]?[0-9]{3}")]
    private static partial Regex HugeExponent();

    [GeneratedRegex("[0-9][eE][+-]?[0-9]|[0-9.]{15}")]
    private static partial Regex ExponentOrManyDigits();

    private static bool IsAccepted(ITokenConstraint constraint, string text)
    {
        var matcher = constraint.Start();
        return matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(text)) && matcher.CanEnd;
    }

    private static string Generate(ITokenConstraint constraint, Random random, List<string> faults, string schema)
    {
        var matcher = constraint.Start();
        var bytes = new List<byte>();
        for (var n = 0; n < MaxTokens; n++)
        {
            var allowed = Tokens(matcher, constraint.Vocabulary.Size);
            if (allowed.Count == 0)
            {
                faults.Add($"nothing is allowed after {Encoding.UTF8.GetString([.. bytes])} under {schema}");
                break;
            }

            var token = allowed[random.Next(allowed.Count)];
            if (!matcher.TryAccept(token))
            {
                faults.Add($"the mask allows token {token}, which is not accepted, after {Encoding.UTF8.GetString([.. bytes])} under {schema}");
                break;
            }

            if (constraint.Vocabulary.IsEndOfGeneration(token))
            {
                return Encoding.UTF8.GetString([.. bytes]);
            }

            bytes.AddRange(constraint.Vocabulary.GetBytes(token));
        }

        ReadOnlyMemory<byte> completion;
        try
        {
            completion = matcher.ShortestCompletion();
        }
        catch (InvalidOperationException error)
        {
            faults.Add($"{error.Message} after {Encoding.UTF8.GetString([.. bytes])} under {schema}");
            return "";
        }

        if (!matcher.TryAcceptBytes(completion.Span) || !matcher.CanEnd)
        {
            faults.Add($"the shortest completion {Encoding.UTF8.GetString(completion.Span)} does not complete {Encoding.UTF8.GetString([.. bytes])} under {schema}");
        }

        bytes.AddRange(completion.Span);
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static List<int> Tokens(IConstraintMatcher matcher, int size)
    {
        var mask = matcher.Mask();
        var tokens = new List<int>();
        for (var token = 0; token < size; token++)
        {
            if ((mask[token >> 5] & (1u << (token & 31))) != 0)
            {
                tokens.Add(token);
            }
        }

        return tokens;
    }

    private static string Mutate(string text, Random random)
    {
        const string Pieces = "0123456789.-eE+\"\\{}[],: abxyné日utrlfs/";
        var builder = new StringBuilder(text);
        for (var n = 1 + random.Next(2); n > 0; n--)
        {
            var at = random.Next(builder.Length + 1);
            switch (random.Next(4))
            {
                case 0 when at < builder.Length:
                    builder.Remove(at, 1);
                    break;
                case 1 when at < builder.Length:
                    builder[at] = Pieces[random.Next(Pieces.Length)];
                    break;
                case 2 when at < builder.Length && char.IsAsciiLetterOrDigit(builder[at]):
                    var escape = $"\\u{(int)builder[at]:x4}";
                    builder.Remove(at, 1).Insert(at, escape);
                    break;
                default:
                    builder.Insert(at, Pieces[random.Next(Pieces.Length)]);
                    break;
            }
        }

        // A pair of surrogates may have lost one of them; both judges shall read the same.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(builder.ToString()));
    }
}
