using System.Globalization;
using System.Text;

namespace Orchestrator.Inference.Constraints;

/// <summary>
/// What an output must look like. Compose the kinds, for example a literal prefix, then a value of a JSON schema.
/// </summary>
public abstract record ConstraintDefinition
{
    private protected ConstraintDefinition()
    {
    }

    /// <summary>A text that equal definitions share; the compiler's cache is keyed by it.</summary>
    internal string Key
    {
        get
        {
            var builder = new StringBuilder();
            WriteKey(builder);
            return builder.ToString();
        }
    }

    private protected abstract void WriteKey(StringBuilder builder);

    private static void Text(StringBuilder builder, string text)
        => builder.Append(CultureInfo.InvariantCulture, $"{text.Length}:{text}");

    private static void List(StringBuilder builder, IReadOnlyList<ConstraintDefinition> parts)
    {
        builder.Append(parts.Count).Append(';');
        foreach (var part in parts)
        {
            part.WriteKey(builder);
        }
    }

    /// <summary>Exactly this text.</summary>
    /// <param name="Value">The text, any length.</param>
    public sealed record Literal(string Value) : ConstraintDefinition
    {
        private protected override void WriteKey(StringBuilder builder) => Text(builder.Append('l'), Value);
    }

    /// <summary>
    /// Exactly this text, in which the texts of the vocabulary's special tokens mean those tokens: how a format writes
    /// what it is made of. What people, tools or models name belongs in a <see cref="Literal"/>.
    /// </summary>
    /// <param name="Value">The text, any length. Where the vocabulary has no such token, its text is written.</param>
    public sealed record Markup(string Value) : ConstraintDefinition
    {
        private protected override void WriteKey(StringBuilder builder) => Text(builder.Append('m'), Value);
    }

    /// <summary>A JSON value that is valid under a JSON schema.</summary>
    /// <param name="Schema">The schema as JSON text (drafts 4 to 2020-12).</param>
    /// <param name="Options">How values are written and bounded; null for <see cref="JsonConstraintOptions.Generation"/>.</param>
    public sealed record JsonSchema(string Schema, JsonConstraintOptions? Options = null) : ConstraintDefinition
    {
        private protected override void WriteKey(StringBuilder builder)
            => Text(Options is null ? builder.Append('j') : builder.Append('j').Append(Options), Schema);
    }

    /// <summary>A text that a regular expression matches as a whole.</summary>
    /// <param name="Pattern">An ECMAScript regular expression (Unicode mode), without lookaround and back-references.</param>
    public sealed record Regex(string Pattern) : ConstraintDefinition
    {
        private protected override void WriteKey(StringBuilder builder) => Text(builder.Append('r'), Pattern);
    }

    /// <summary>A text of a grammar in llama.cpp's GBNF notation.</summary>
    /// <param name="Grammar">The rules.</param>
    /// <param name="Root">The name of the rule to start with.</param>
    public sealed record Gbnf(string Grammar, string Root = "root") : ConstraintDefinition
    {
        private protected override void WriteKey(StringBuilder builder)
        {
            Text(builder.Append('g'), Root);
            Text(builder, Grammar);
        }
    }

    /// <summary>All parts, one after another.</summary>
    /// <param name="Parts">The parts in order.</param>
    public sealed record Sequence(params IReadOnlyList<ConstraintDefinition> Parts) : ConstraintDefinition
    {
        private protected override void WriteKey(StringBuilder builder) => List(builder.Append('s'), Parts);
    }

    /// <summary>Any one of the options.</summary>
    /// <param name="Options">The options, at least one.</param>
    public sealed record Choice(params IReadOnlyList<ConstraintDefinition> Options) : ConstraintDefinition
    {
        private protected override void WriteKey(StringBuilder builder) => List(builder.Append('c'), Options);
    }

    /// <summary>A part, repeated.</summary>
    /// <param name="Part">What is repeated.</param>
    /// <param name="Min">How often at least, 0 or more.</param>
    /// <param name="Max">How often at most; null for no limit.</param>
    public sealed record Repeat(ConstraintDefinition Part, int Min, int? Max) : ConstraintDefinition
    {
        private protected override void WriteKey(StringBuilder builder)
        {
            builder.Append(CultureInfo.InvariantCulture, $"x{Min},{Max};");
            Part.WriteKey(builder);
        }
    }
}
