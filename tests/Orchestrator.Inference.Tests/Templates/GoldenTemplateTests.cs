using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Inference.Tests.Templates;

/// <summary>Compares with renderings of the reference implementation; golden/reference.py writes them.</summary>
public class GoldenTemplateTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Templates", "golden");
    private static readonly JsonNode Golden = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "templates.json")))!;

    public static TheoryData<string> Templates => [.. Names];

    internal static IEnumerable<string> Names => Golden["templates"]!.AsObject().Select(t => t.Key);

    [Theory]
    [MemberData(nameof(Templates))]
    public void Template_renders_as_the_reference_does(string name)
    {
        var source = Source(name);
        foreach (var expected in Golden["templates"]![name]!.AsArray())
        {
            var title = expected!["name"]!.GetValue<string>();
            var actual = Render(source, Golden["inputs"]![title]!.AsObject());
            AssertSame(title, expected, actual);
        }
    }

    [Fact]
    public void Expressions_evaluate_as_in_the_reference()
    {
        var variables = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "variables.json")))!.AsObject();
        var cases = JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, "expressions.json")))!.AsArray();
        var failures = new List<string>();
        foreach (var expected in cases)
        {
            var source = expected!["template"]!.GetValue<string>();
            var actual = Render(source, variables);
            if (expected["error"] is null ? actual.Text != expected["expected"]!.GetValue<string>() : actual.Error is null)
            {
                failures.Add($"{source}\n  expected {expected["expected"]?.ToJsonString() ?? expected["error"]!.ToString()}\n  actual   {(actual.Error ?? JsonSerializer.Serialize(actual.Text))}");
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {cases.Count} differ\n" + string.Join("\n", failures));
    }

    internal static JsonObject Input(string name) => Golden["inputs"]![name]!.AsObject();

    internal static string Source(string template) => File.ReadAllText(Path.Combine(Folder, "templates", template));

    internal static (string? Text, string? Error) Render(string source, JsonObject variables)
    {
        try
        {
            var time = new FakeTimeProvider(new DateTimeOffset(2024, 7, 26, 9, 5, 3, TimeSpan.Zero));
            return (ChatTemplate.Parse(source, time: time).Render(variables), null);
        }
        catch (ChatTemplateException e)
        {
            return (null, e.Message);
        }
    }

    internal static string FirstDifference(string expected, string actual)
    {
        var at = expected.AsSpan().CommonPrefixLength(actual);
        string Around(string text) => JsonSerializer.Serialize(text[Math.Max(0, at - 40)..Math.Min(text.Length, at + 40)]);
        return $"differs at {at}: expected …{Around(expected)}, actual …{Around(actual)}";
    }

    private static void AssertSame(string title, JsonNode expected, (string? Text, string? Error) actual)
    {
        if (expected["error"] is { } error)
        {
            Assert.True(actual.Error is not null, $"{title}: accepted, the reference says {error}");
            if (error.GetValue<string>() is var text && text.StartsWith("TemplateError: ", StringComparison.Ordinal))
            {
                Assert.EndsWith(text["TemplateError: ".Length..], actual.Error);
            }

            return;
        }

        var wanted = expected["expected"]!.GetValue<string>();
        Assert.True(actual.Text == wanted, $"{title}: {actual.Error ?? FirstDifference(wanted, actual.Text ?? "")}");
    }
}
