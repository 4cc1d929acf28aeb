using System.Text;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Tests.Constraints;

public class JsonSchemaTests
{
    private static readonly ConstraintCompiler Compiler = new(new TestVocabulary());

    [Theory]
    [InlineData("""{"type":"integer"}""", "12", true)]
    [InlineData("""{"type":"integer"}""", "1.0", true)]
    [InlineData("""{"type":"integer"}""", "1.5", false)]
    [InlineData("""{"type":"integer"}""", "15e-1", false)]
    [InlineData("""{"type":"integer"}""", "1.5e1", true)]
    [InlineData("""{"type":"number","minimum":5,"maximum":15}""", "14.99", true)]
    [InlineData("""{"type":"number","minimum":5,"maximum":15}""", "15.01", false)]
    [InlineData("""{"type":"number","minimum":5,"maximum":15}""", "0.5e1", true)]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "0", false)]
    [InlineData("""{"type":"number","exclusiveMinimum":0}""", "1e-5", true)]
    [InlineData("""{"minimum":-3}""", "-3.0", true)]
    [InlineData("""{"minimum":-3}""", "-3.1", false)]
    [InlineData("""{"minimum":0}""", "-0", true)]
    [InlineData("""{"multipleOf":0.01}""", "12.34", true)]
    [InlineData("""{"multipleOf":0.01}""", "12.345", false)]
    [InlineData("""{"multipleOf":7,"minimum":10,"maximum":20}""", "14", true)]
    [InlineData("""{"multipleOf":7,"minimum":10,"maximum":20}""", "7", false)]
    [InlineData("""{"type":"string","maxLength":2}""", "\"日本\"", true)]
    [InlineData("""{"type":"string","maxLength":2}""", "\"日本人\"", false)]
    [InlineData("""{"type":"string","minLength":2}""", "\"\\ud83d\\ude00\"", false)]
    [InlineData("""{"type":"string"}""", "\"\\ud83d\"", false)]
    [InlineData("""{"type":"string"}""", " \t\"a\\/b\"\n", true)]
    [InlineData("""{"pattern":"^a+$"}""", "\"a\\u0061a\"", true)]
    [InlineData("""{"pattern":"b"}""", "\"aaba\"", true)]
    [InlineData("""{"pattern":"b"}""", "\"aaa\"", false)]
    [InlineData("""{"pattern":"^(?!foo)[a-z]+$"}""", "\"fob\"", true)]
    [InlineData("""{"pattern":"^(?!foo)[a-z]+$"}""", "\"food\"", false)]
    [InlineData("""{"format":"date"}""", "\"2024-02-29\"", true)]
    [InlineData("""{"format":"date"}""", "\"2023-02-29\"", false)]
    [InlineData("""{"format":"ipv6"}""", "\"::1\"", true)]
    [InlineData("""{"format":"ipv6"}""", "\"1::2::3\"", false)]
    [InlineData("""{"enum":["a",1,null,{"x":[1]}]}""", "{\"x\": [1]}", true)]
    [InlineData("""{"enum":["a",1,null,{"x":[1]}]}""", "{\"x\": [2]}", false)]
    [InlineData("""{"enum":["a",1,null]}""", "1.0", true)]
    [InlineData("""{"properties":{"a":{"type":"integer"}},"required":["a"]}""", """{"b": 1}""", false)]
    [InlineData("""{"properties":{"a":{"type":"integer"}}}""", """{"a": "x"}""", false)]
    [InlineData("""{"properties":{"a":{"type":"integer"}}}""", """{"aa": "x", "b": {}}""", true)]
    [InlineData("""{"properties":{"a":{}},"additionalProperties":false}""", """{"\u0061": 1}""", true)]
    [InlineData("""{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":{"type":"string"}}""", """{"xa": 1, "y": "s"}""", true)]
    [InlineData("""{"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":{"type":"string"}}""", """{"xa": "s"}""", false)]
    [InlineData("""{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""", "[1, \"a\"]", true)]
    [InlineData("""{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":false}""", "[1, \"a\", 2]", false)]
    [InlineData("""{"type":"array","minItems":2,"maxItems":3}""", "[1]", false)]
    [InlineData("""{"type":"array","minItems":2,"maxItems":3}""", "[1,{},[]]", true)]
    [InlineData("""{"type":"array","contains":{"const":3}}""", "[1,2]", false)]
    [InlineData("""{"type":"array","contains":{"const":3}}""", "[1,3,2]", true)]
    [InlineData("""{"type":"array","uniqueItems":true,"items":{"enum":["a","b"]}}""", """["a","a"]""", false)]
    [InlineData("""{"type":"array","uniqueItems":true,"items":{"enum":["a","b"]}}""", """["b","a"]""", true)]
    [InlineData("""{"oneOf":[{"type":"number"},{"minimum":5}]}""", "7", false)]
    [InlineData("""{"oneOf":[{"type":"integer"},{"type":"string"}]}""", "7", true)]
    [InlineData("""{"not":{"type":["string","object"]}}""", "\"a\"", false)]
    [InlineData("""{"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"required":["b"]}}""", """{"a": 1}""", false)]
    [InlineData("""{"if":{"properties":{"a":{"const":1}},"required":["a"]},"then":{"required":["b"]}}""", """{"a": 2}""", true)]
    [InlineData("""{"$ref":"#/$defs/n","$defs":{"n":{"properties":{"next":{"$ref":"#/$defs/n"}},"additionalProperties":false}}}""", """{"next": {"next": {}}}""", true)]
    [InlineData("""{"$ref":"#/$defs/n","$defs":{"n":{"properties":{"next":{"$ref":"#/$defs/n"}},"additionalProperties":false}}}""", """{"next": {"last": {}}}""", false)]
    [InlineData("""{"dependentRequired":{"a":["b"]}}""", """{"a": 1}""", false)]
    [InlineData("""{"maxProperties":1}""", """{"a": 1, "b": 2}""", false)]
    [InlineData("""{"propertyNames":{"maxLength":2}}""", """{"abc": 1}""", false)]
    public void A_value_is_accepted_exactly_when_the_schema_allows_it(string schema, string text, bool valid)
    {
        var matcher = Compiler.Compile(new ConstraintDefinition.JsonSchema(schema, JsonConstraintOptions.Validation)).Start();
        Assert.Equal(valid, matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(text)) && matcher.CanEnd);
    }

    [Theory]
    [InlineData("""{"type":"array","uniqueItems":true,"minItems":2,"items":{"type":"object"}}""", "uniqueItems")]
    [InlineData("""{"unevaluatedProperties":false}""", "unevaluatedProperties")]
    [InlineData("""{"$ref":"https://example.com/other.json"}""", "$ref")]
    [InlineData("""{"format":"idn-hostname"}""", "format")]
    [InlineData("""{"pattern":"(a)\\1"}""", "pattern")]
    [InlineData("""{"type":"text"}""", "type")]
    public void What_cant_be_enforced_is_refused_by_its_keyword(string schema, string keyword)
    {
        var error = Assert.Throws<ConstraintException>(() => Compiler.Compile(new ConstraintDefinition.JsonSchema(schema)));
        Assert.Equal(keyword, error.Keyword);
    }

    [Theory]
    [InlineData("""{"enum":1}""")]
    [InlineData("""{"pattern":1}""")]
    [InlineData("""{"properties":[]}""")]
    [InlineData("""{"required":[1]}""")]
    [InlineData("""{"anyOf":{}}""")]
    [InlineData("""{"dependencies":{"a":[1]}}""")]
    [InlineData("""{"not":3}""")]
    [InlineData("""{"minLength":-1}""")]
    [InlineData("""{"patternProperties":{"(":{}}}""")]
    [InlineData("""{"allOf":[{"type":"string"},{"type":"null"}]}""")]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""[1""")]
    public void A_schema_that_makes_no_sense_is_refused(string schema)
        => Assert.Throws<ConstraintException>(() => Compiler.Compile(new ConstraintDefinition.JsonSchema(schema)));

    [Fact]
    public void Generation_forces_what_has_no_alternative()
    {
        var schema = """{"type":"object","properties":{"name":{"enum":["Ada","Adam"]},"n":{"type":"integer"}},"required":["name","n"],"additionalProperties":false}""";
        var matcher = Compiler.Compile(new ConstraintDefinition.JsonSchema(schema)).Start();
        Assert.Equal("{\"name\":\"Ada", Encoding.UTF8.GetString(matcher.ForcedBytes().Span));
        Assert.True(matcher.TryAcceptBytes(matcher.ForcedBytes().Span));
        Assert.Equal(0, matcher.ForcedBytes().Length);
        Assert.True(matcher.TryAcceptBytes("m\""u8));
        Assert.Equal(",\"n\":", Encoding.UTF8.GetString(matcher.ForcedBytes().Span));
        Assert.Equal(7, matcher.MinBytesToEnd);
        var completion = matcher.ShortestCompletion();
        Assert.Equal(7, completion.Length);
        Assert.True(matcher.TryAcceptBytes(completion.Span));
        Assert.True(matcher.CanEnd && matcher.MustEnd);
    }

    [Theory]
    [InlineData("""{"type":"integer","multipleOf":7}""", "-0")]
    [InlineData("""{"multipleOf":0.5}""", "-0.0")]
    [InlineData("""{"multipleOf":0.5,"minimum":-0.4,"maximum":3}""", "-")]
    public void Minus_zero_is_read_and_never_written(string schema, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.False(Compiler.Compile(new ConstraintDefinition.JsonSchema(schema)).Start().TryAcceptBytes(bytes));
        Assert.True(Compiler.Compile(new ConstraintDefinition.JsonSchema(schema, JsonConstraintOptions.Validation)).Start().TryAcceptBytes(bytes));
    }

    [Fact]
    public void Parts_can_be_composed()
    {
        var definition = new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Literal("<call>"),
            new ConstraintDefinition.JsonSchema("""{"type":"boolean"}"""),
            new ConstraintDefinition.Repeat(new ConstraintDefinition.Choice(new ConstraintDefinition.Literal("!"), new ConstraintDefinition.Regex("[0-9]{2}")), 1, 2),
            new ConstraintDefinition.Literal("</call>"));
        foreach (var (text, valid) in new[] { ("<call>true!</call>", true), ("<call>false42!</call>", true), ("<call>true</call>", false), ("<call>true!!!</call>", false) })
        {
            var matcher = Compiler.Compile(definition).Start();
            Assert.Equal(valid, matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(text)) && matcher.CanEnd);
        }
    }
}
