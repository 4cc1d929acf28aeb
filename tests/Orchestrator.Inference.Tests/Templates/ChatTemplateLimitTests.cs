using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Inference.Tests.Templates;

/// <summary>Templates come from anywhere: whatever they say, a rendering ends, within its limits, with a text or a clear error.</summary>
public class ChatTemplateLimitTests
{
    private static readonly TemplateLimits Small = new() { MaxSteps = 200_000, MaxTextLength = 100_000, MaxTime = TimeSpan.FromMinutes(5) };

    [Theory]
    [InlineData("{% set ns = namespace(x='ab') %}{% for i in range(1000) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for i in range(1000) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for i in range(1000) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}")]
    [InlineData("{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}")]
    [InlineData("{% set ns = namespace(x=(1,)) %}{% for i in range(100) %}{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ {ns.x: 1} }}")]
    [InlineData("{% set ns = namespace(x=(1,)) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}")]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")]
    [InlineData("{{ 'x' * 1000000000 }}")]
    [InlineData("{{ [1] * 1000000000 }}")]
    [InlineData("{{ '%1000000000d' % 1 }}")]
    [InlineData("{{ '{:>1000000000}'.format(1) }}")]
    [InlineData("{{ 'x'.center(1000000000) }}{{ 'x'.zfill(1000000000) }}")]
    [InlineData("{{ 'x'|indent(1000000000, true) }}")]
    [InlineData("{{ [1]|tojson(indent=1000000000) }}")]
    [InlineData("{{ [1]|batch(1000000000, 'x')|list }}")]
    [InlineData("{{ [1]|slice(1000000000, 'x')|list }}")]
    [InlineData("{{ ('a' * 90000).replace('', 'b' * 90000) }}")]
    [InlineData("{{ ('a' * 90000).replace('a', 'b' * 90000) }}")]
    [InlineData("{{ ('x' * 90000).join('y' * 90000) }}")]
    [InlineData("{{ 10 ** 1000000 }}")]
    [InlineData("{{ 2 ** 60000 * 2 ** 60000 }}")]
    [InlineData("{{ range(100000000) }}")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")]
    [InlineData("{% macro f(x) %}{{ f(x) }}{{ f(x) }}{% endmacro %}{{ f(1) }}")]
    [InlineData("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
    [InlineData("{% for x in range(100000) %}{{ 'a' * 1000 }}{% endfor %}")]
    public void Greedy_template_is_stopped(string source)
    {
        var error = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source, limits: Small).Render([]));
        Assert.Equal(ChatTemplateFault.Limit, error.Fault);
        Assert.True(error.Line > 0, error.Message);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("not ", "")]
    [InlineData("-", "")]
    [InlineData("1 + ", "")]
    [InlineData("", "[0]")]
    [InlineData("", "|string")]
    [InlineData("", ".x if true else 1")]
    public void Deep_expression_never_ends_the_process(string before, string after)
    {
        var source = "{{ " + string.Concat(Enumerable.Repeat(before, 60_000)) + "1" + string.Concat(Enumerable.Repeat(after, 60_000)) + " }}";
        var result = GoldenTemplateTests.Render(source, []);
        Assert.True(result.Text is not null || result.Error is not null);
    }

    [Fact]
    public void Deep_nesting_of_blocks_never_ends_the_process()
    {
        var source = string.Concat(Enumerable.Repeat("{% if true %}", 60_000)) + string.Concat(Enumerable.Repeat("{% endif %}", 60_000));
        Assert.Equal(ChatTemplateFault.Limit, Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source).Render([])).Fault);
    }

    [Theory]
    [InlineData("a\n  {{ x.y.z }}", 2, 7)]
    [InlineData("{% for a in b %}\n{{ 1 + }}{% endfor %}", 2, 8)]
    [InlineData("{{ 'a'|nope }}", 1, 8)]
    public void Error_names_line_and_column(string source, int line, int column)
    {
        var error = Assert.Throws<ChatTemplateException>(() => ChatTemplate.Parse(source).Render([]));
        Assert.Equal((line, column), (error.Line, error.Column));
        Assert.Contains($"line {line}, column {column}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancellation_stops_a_rendering()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        var template = ChatTemplate.Parse("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}");
        Assert.Throws<OperationCanceledException>(() => template.Render([], source.Token));
    }

    [Fact]
    public async Task One_template_renders_on_many_threads()
    {
        var template = ChatTemplate.Parse("{% macro m(x) %}[{{ x }}]{% endmacro %}{% for i in range(n) %}{{ m(i) }}{% endfor %}");
        var texts = await Task.WhenAll(Enumerable.Range(0, 32).Select(n => Task.Run(() => template.Render(new JsonObject { ["n"] = n }))));
        for (var n = 0; n < texts.Length; n++)
        {
            Assert.Equal(string.Concat(Enumerable.Range(0, n).Select(i => $"[{i}]")), texts[n]);
        }
    }

    /// <summary>A template that was damaged anywhere renders or fails clearly; nothing else comes out of it.</summary>
    [Property(MaxTest = 400)]
    public Property Damaged_template_renders_or_fails_clearly()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "Templates", "golden", "templates");
        var sources = Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllText).ToArray();
        var pieces = new[] { "{%", "%}", "{{", "}}", "|", "(", ")", "[", "]", "'", "\"", " if ", " else ", "loop", ".", "-", "0", "messages", "{% endif %}", "\\", "🌦" };
        var damage =
            from source in Gen.Elements(sources)
            from cuts in (from at in Gen.Choose(0, 100_000) from length in Gen.Choose(0, 30) from piece in Gen.Elements(pieces) select (at, length, piece)).ArrayOf()
            select cuts.Aggregate(source, (text, cut) =>
            {
                var at = cut.at % (text.Length + 1);
                return text[..at] + cut.piece + text[Math.Min(text.Length, at + cut.length)..];
            });
        var input = GoldenTemplateTests.Input("calls_answered+tools");
        return Prop.ForAll(damage.ToArbitrary(), source =>
        {
            try
            {
                return ChatTemplate.Parse(source, limits: Small).Render(input) is not null;
            }
            catch (ChatTemplateException e)
            {
                return e.Message.Length > 0;
            }
        });
    }

    /// <summary>Whole-number expressions against a small oracle.</summary>
    [Property(MaxTest = 500)]
    public Property Arithmetic_agrees_with_an_oracle()
    {
        Gen<(string Text, System.Numerics.BigInteger? Value)> Expression(int depth) => depth == 0
            ? Gen.Choose(-20, 1_000_000).Select(n => ($"({n})", (System.Numerics.BigInteger?)n))
            : from left in Expression(depth - 1)
              from right in Expression(depth - 1)
              from op in Gen.Elements("+", "-", "*", "//", "%")
              select ($"({left.Text} {op} {right.Text})", Apply(op, left.Value, right.Value));
        return Prop.ForAll(Gen.Choose(0, 4).SelectMany(Expression).ToArbitrary(), e =>
        {
            var actual = GoldenTemplateTests.Render("{{ " + e.Text + " }}", []);
            return e.Value is null ? actual.Error is not null : actual.Text == e.Value.ToString();
        });
    }

    private static System.Numerics.BigInteger? Apply(string op, System.Numerics.BigInteger? a, System.Numerics.BigInteger? b)
    {
        if (a is not { } x || b is not { } y || (op is "//" or "%" && y.IsZero))
        {
            return null;
        }

        var quotient = y.IsZero ? 0 : System.Numerics.BigInteger.Divide(x, y);
        quotient -= !y.IsZero && x != quotient * y && (x.Sign < 0) != (y.Sign < 0) ? 1 : 0;
        return op switch { "+" => x + y, "-" => x - y, "*" => x * y, "//" => quotient, _ => x - (quotient * y) };
    }
}
