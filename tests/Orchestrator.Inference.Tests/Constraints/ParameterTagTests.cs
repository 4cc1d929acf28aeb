using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Tests.Constraints;

/// <summary>Arguments between tags: what the constraint allows, and what is read of it.</summary>
public class ParameterTagTests
{
    private static readonly TestVocabulary Vocabulary = new();
    private static readonly ConstraintCompiler Compiler = new(Vocabulary);
    private static readonly ConstraintCompiler Exact = new(new ByteVocabulary());
    private static readonly Qwen3CoderToolCallFormat Format = new();

    /// <summary>Whatever the schema, a call that a random model writes is read back as arguments that are valid.</summary>
    [Fact]
    public void What_a_random_model_writes_is_valid_when_it_is_read()
    {
        var written = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var schema = Schema(random, withFormats: seed % 8 == 0);
            var options = new JsonConstraintOptions { MaxStringLength = 1 + random.Next(20), MaxItems = 3, MaxAdditionalProperties = random.Next(3), MaxDigits = 5 };
            ITokenConstraint constraint, judge;
            try
            {
                judge = Exact.Compile(new ConstraintDefinition.JsonSchema(schema.GetRawText(), JsonConstraintOptions.Validation));
                constraint = Compiler.Compile(Format.Constrain([Tool(schema)], false, options));
            }
            catch (ConstraintException)
            {
                continue;
            }

            var answer = Format.Trigger + Write(constraint.Start(), random);
            var (rest, calls) = Format.Parse(answer, [Tool(schema)]);
            var json = JsonSerializer.Serialize(Assert.Single(calls).Arguments);
            var matcher = judge.Start();
            Assert.Equal("", rest);
            Assert.True(matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(json)) && matcher.CanEnd, $"{answer}\nis {json}, which is not valid under {schema}");
            written++;
        }

        Assert.True(written > 200, $"Only {written} schemas could be tried.");
    }

    [Theory]
    [InlineData("""{"type":"string"}""", "a\n\n  b \n", "\"a\\n\\n  b \\n\"")]
    [InlineData("""{"type":"string"}""", "", "\"\"")]
    [InlineData("""{"type":"string"}""", "\n", "\"\\n\"")]
    [InlineData("""{"type":"string"}""", "12", "\"12\"")]
    [InlineData("""{"type":"string"}""", "None", "\"None\"")]
    [InlineData("""{"type":"string"}""", "\"quoted\\n\"", "\"\\\"quoted\\\\n\\\"\"")]
    [InlineData("""{"type":"string"}""", "<parameter=a>\nb\n</function>\n</tool_call>", "\"<parameter=a>\\nb\\n</function>\\n</tool_call>\"")]
    [InlineData("""{"enum":["1","two"]}""", "1", "\"1\"")]
    [InlineData("""{"enum":[1,"two"]}""", "1", "1")]
    [InlineData("""{"type":["string","null"]}""", "null", "null")]
    [InlineData("""{"anyOf":[{"type":"string"},{"type":"null"}]}""", "nothing", "\"nothing\"")]
    [InlineData("""{"type":"integer"}""", "12", "12")]
    [InlineData("""{"type":"boolean"}""", "True", "true")]
    [InlineData("""{"type":["integer","null"]}""", "None", "null")]
    [InlineData("""{"$ref":"#/$defs/text"}""", "12", "\"12\"")]
    [InlineData("""{"type":"array","items":{"type":"string"}}""", "[\"a\", \"</function>\"]", "[\"a\",\"</function>\"]")]
    [InlineData("""{"type":"object"}""", "{\"a\": {\"b\": 1}}", "{\"a\":{\"b\":1}}")]
    [InlineData("{}", "plain", "\"plain\"")]
    [InlineData("""{"type":"integer"}""", "many", "\"many\"")]
    public void A_value_is_read_by_its_schema(string schema, string written, string json)
    {
        var root = Json($$$$"""{"type":"object","properties":{"v":{{{{schema}}}}},"$defs":{"text":{"type":"string"}}}""");
        var (_, calls) = Format.Parse($"<tool_call>\n<function=f>\n<parameter=v>\n{written}\n</parameter>\n</function>\n</tool_call>", [Tool(root)]);
        Assert.Equal(json, JsonSerializer.Serialize(Assert.Single(calls).Arguments!["v"], CallJson.Options));
    }

    [Theory]
    [InlineData("<parameter=text>\na\n</parameter>\n<parameter=count>\n3\n</parameter>\n", true)]
    [InlineData("<parameter=text>\n\n</parameter>\n<parameter=count>\n3\n</parameter>\n<parameter=list>\n[\"a\"]\n</parameter>\n", true)]
    [InlineData("<parameter=text>\n\"{\\\n</parameter\n</parameter>\n<parameter=count>\n-3\n</parameter>\n", true)]
    [InlineData("<parameter=text>\na</parameter>b\n</parameter>\n<parameter=count>\n3\n</parameter>\n", false)]
    [InlineData("<parameter=text>\na\n</parameter>b\n</parameter>\n<parameter=count>\n3\n</parameter>\n", false)]
    [InlineData("<parameter=text>\na\n</parameter>\n", false)]
    [InlineData("<parameter=count>\n3\n</parameter>\n<parameter=text>\na\n</parameter>\n", false)]
    [InlineData("<parameter=text>\na\n</parameter>\n<parameter=count>\n\"3\"\n</parameter>\n", false)]
    [InlineData("<parameter=text>\na\n</parameter>\n<parameter=count>\n3\n</parameter>\n<parameter=other>\n3\n</parameter>\n", false)]
    public void A_call_has_the_parameters_and_each_its_own_kind_of_value(string parameters, bool isAllowed)
    {
        var tool = Tool(Json("""{"type":"object","properties":{"text":{"type":"string"},"count":{"type":"integer"},"list":{"type":"array","items":{"type":"string"}}},"required":["text","count"]}"""));
        var matcher = Compiler.Compile(Format.Constrain([tool], false, JsonConstraintOptions.Generation)).Start();
        Assert.Equal(isAllowed, matcher.TryAcceptBytes(Encoding.UTF8.GetBytes($"\n<function=f>\n{parameters}</function>\n</tool_call>")) && matcher.CanEnd);
    }

    /// <summary>A text of any length that the schema asks for is written whole, whatever it says but for the closing tag.</summary>
    [Property(MaxTest = 300)]
    public Property A_text_stands_as_it_is()
    {
        var pieces = Gen.Elements("</parameter", ">", "</parameter>", "\n", "<", "/", "a", "\"", "\\", "é", "🌦", "</function>");
        var texts = pieces.ArrayOf().Select(string.Concat);
        var bounds = Gen.Choose(0, 12).Two();
        return Prop.ForAll(texts.ToArbitrary(), bounds.ToArbitrary(), (text, b) =>
        {
            var (min, max) = (Math.Min(b.Item1, b.Item2), Math.Max(b.Item1, b.Item2));
            var length = text.EnumerateRunes().Count();
            var tool = Tool(Json($$$$"""{"type":"object","properties":{"v":{"type":"string","minLength":{{{{min}}}},"maxLength":{{{{max}}}}}},"required":["v"]}"""));
            var matcher = Compiler.Compile(Format.Constrain([tool], false, JsonConstraintOptions.Generation)).Start();
            var answer = Format.Write([new FunctionCallContent("", "f", new Dictionary<string, object?> { ["v"] = text })]);
            var isAllowed = matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(answer[Format.Trigger.Length..])) && matcher.CanEnd;
            return isAllowed == (length >= min && length <= max && !text.Contains("</parameter>", StringComparison.Ordinal))
                && (!isAllowed || ((JsonElement)Format.Parse(answer, [tool]).Calls[0].Arguments!["v"]!).GetString() == text);
        });
    }

    [Fact]
    public void A_parameter_whose_name_can_not_stand_in_a_tag_says_so()
        => Assert.Throws<ConstraintException>(() => Compiler.Compile(Format.Constrain(
            [Tool(Json("""{"type":"object","properties":{"a>b":{"type":"string"}},"required":["a>b"]}"""))], false, JsonConstraintOptions.Generation)));

    [Fact]
    public void A_closed_automaton_keeps_its_tags()
    {
        var words = CharDfa.Combine([CharDfa.OfWords(["a", "ab"]), CharDfa.OfWords(["ab", "b"])], tags => tags[0] >= 0 && tags[1] >= 0 ? 2 : tags[0] >= 0 ? 0 : tags[1] >= 0 ? 1 : -1);
        var closed = words.ClosedBy("-->");
        int Tag(string text)
        {
            var state = text.Aggregate(closed.Start, (at, letter) => at < 0 ? -1 : closed.Step(at, letter));
            return state < 0 ? -1 : closed.Tag(state);
        }

        Assert.Equal([0, 2, 1, -1, -1, -1], new[] { "a-->", "ab-->", "b-->", "a", "a-->b", "-->" }.Select(Tag));
    }

    /// <summary>The schema of a function: mostly an object with drawn properties, now and then anything that allows one.</summary>
    private static JsonElement Schema(Random random, bool withFormats)
    {
        var drawn = new RandomSchema(random, formats: withFormats).Draw();
        if (random.Next(4) == 0)
        {
            return JsonSerializer.SerializeToElement(drawn);
        }

        var definitions = drawn["$defs"]!.DeepClone();
        drawn.Remove("$defs");
        var others = new RandomSchema(random, formats: false).Draw();
        others.Remove("$defs");
        return JsonSerializer.SerializeToElement(new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["v"] = drawn, ["w x"] = others, ["s"] = new JsonObject { ["type"] = "string", ["minLength"] = random.Next(3) } },
            ["required"] = new JsonArray("v", "s"),
            ["$defs"] = definitions,
        });
    }

    private static AIFunctionDeclaration Tool(JsonElement schema) => AIFunctionFactory.CreateDeclaration("f", null, schema);

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static string Write(IConstraintMatcher matcher, Random random)
    {
        var bytes = new List<byte>();
        for (var n = 0; n < 120 && !matcher.MustEnd; n++)
        {
            var mask = matcher.Mask().ToArray();
            var allowed = Enumerable.Range(0, Vocabulary.End).Where(t => (mask[t / 32] & (1u << (t % 32))) != 0).ToArray();
            var token = allowed[random.Next(allowed.Length)];
            Assert.True(matcher.TryAccept(token));
            bytes.AddRange(Vocabulary.GetBytes(token));
        }

        var rest = matcher.ShortestCompletion().ToArray();
        Assert.True(rest.Length <= matcher.MinBytesToEnd && matcher.TryAcceptBytes(rest) && matcher.CanEnd);
        return Encoding.UTF8.GetString([.. bytes, .. rest]);
    }
}
