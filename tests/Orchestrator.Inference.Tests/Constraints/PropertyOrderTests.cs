using System.Text;
using System.Text.Json;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Constraints.Suites;

namespace Orchestrator.Inference.Tests.Constraints;

public class PropertyOrderTests
{
    private static readonly ConstraintCompiler Compiler = new(new TestVocabulary());

    [Theory]
    [InlineData("""{"properties":{"a":{},"b":{}}}""", """{"b": 1, "a": 2}""", true)]
    [InlineData("""{"properties":{"a":{"type":"string"},"b":{}}}""", """{"b": 1, "a": 2}""", false)]
    [InlineData("""{"items":{"properties":{"a":{},"b":{}}}}""", """[{"c": 0, "a": 1}, {"b": 1, "a": 2}]""", true)]
    [InlineData("""{"contains":{"properties":{"a":{},"b":{}},"required":["b"]}}""", """[{"c": 1, "b": 2}]""", true)]
    [InlineData("""{"properties":{"a":{}},"if":{"properties":{"b":{"const":1}}},"else":false}""", """{"c": 1, "a": 2, "b": 1}""", true)]
    public void What_is_rejected_for_its_order_alone_is_told_apart(string schema, string text, bool order)
    {
        var constraint = Compiler.Compile(new ConstraintDefinition.JsonSchema(schema, JsonConstraintOptions.Validation));
        var matcher = constraint.Start();
        Assert.False(matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(text)) && matcher.CanEnd);
        using var parsedSchema = JsonDocument.Parse(schema);
        using var instance = JsonDocument.Parse(text);
        Assert.Equal(order, PropertyOrder.IsAllThatIsWrong(constraint, parsedSchema.RootElement, instance.RootElement));
    }
}
