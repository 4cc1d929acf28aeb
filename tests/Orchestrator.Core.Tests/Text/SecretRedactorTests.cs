using System.Text.Json;
using Orchestrator.Core.Text;

namespace Orchestrator.Core.Tests.Text;

public sealed class SecretRedactorTests
{
    private readonly SecretRedactor _redactor = new("s3cret", "s3cret-longer", "with \"quotes\"", "abc");

    [Theory]
    [InlineData("token s3cret here", "token [redacted] here")]
    [InlineData("s3cret-longer", "[redacted]")]
    [InlineData("""{"t":"with \u0022quotes\u0022"}""", """{"t":"[redacted]"}""")]
    [InlineData("abc is too short to be one", "abc is too short to be one")]
    [InlineData("nothing", "nothing")]
    public void Secrets_are_replaced(string text, string expected) => Assert.Equal(expected, _redactor.Redact(text));

    [Fact]
    public void Json_is_redacted_in_its_texts_and_stays_json()
    {
        var json = JsonElement.Parse("""{"a":["s3cret",1,null],"with \"quotes\"":{"b":"x s3cret"}}""");

        Assert.Equal(
            """{"a":["[redacted]",1,null],"[redacted]":{"b":"x [redacted]"}}""", _redactor.Redact(json).GetRawText());
    }
}
