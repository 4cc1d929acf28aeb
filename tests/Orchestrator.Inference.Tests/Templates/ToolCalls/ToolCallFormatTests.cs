using System.ComponentModel;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Templates;
using Orchestrator.Inference.Templates.ToolCalls;
using Orchestrator.Inference.Tests.Constraints;

namespace Orchestrator.Inference.Tests.Templates.ToolCalls;

public class ToolCallFormatTests
{
    private static readonly Dictionary<string, IToolCallFormat> Formats = new()
    {
        ["hermes"] = new HermesToolCallFormat(),
        ["json"] = new JsonToolCallFormat(),
        ["mistral"] = new MistralToolCallFormat(withArgs: false),
        ["mistral-args"] = new MistralToolCallFormat(withArgs: true),
        ["phi"] = new PhiToolCallFormat(),
        ["harmony"] = new HarmonyToolCallFormat(),
        ["gemma4"] = new Gemma4ToolCallFormat(resultsWithCalls: true),
        ["qwen3coder"] = new Qwen3CoderToolCallFormat(),
    };

    private static readonly AIFunctionDeclaration Read = AIFunctionFactory.Create(
        ([Description("Where")] string path, int? line = null) => path, "read_file", "Reads a file.");

    private static readonly AIFunctionDeclaration List = AIFunctionFactory.Create(() => 0, "list", "Lists.");

    public static TheoryData<string> Names => [.. Formats.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_written_is_read_back(string name)
    {
        var calls = new[]
        {
            new FunctionCallContent("a", "read_file", new Dictionary<string, object?> { ["path"] = "a \"b\"\n{c}</tool_call>]", ["line"] = 3 }),
            new FunctionCallContent("b", "list", new Dictionary<string, object?>()),
        };
        var (text, read) = Formats[name].Parse("Let me look.\n" + Formats[name].Write(calls), [Read, List]);

        Assert.StartsWith("Let me look.", text, StringComparison.Ordinal);
        Assert.Equal(["read_file", "list"], read.Select(c => c.Name));
        Assert.Equal("a \"b\"\n{c}</tool_call>]", ((JsonElement)read[0].Arguments!["path"]!).GetString());
        Assert.Equal(3, ((JsonElement)read[0].Arguments!["line"]!).GetInt32());
        Assert.Empty(read[1].Arguments!);
        Assert.Equal(2, read.Select(c => c.CallId).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_constrained_call_is_one_that_the_parser_reads(string name)
    {
        var format = Formats[name];
        var compiler = new ConstraintCompiler(new TestVocabulary());
        foreach (var tools in new[] { new[] { Read }, [List], [Read, List] })
        {
            foreach (var parallel in new[] { false, true })
            {
                var matcher = compiler.Compile(format.Constrain(tools, parallel, JsonConstraintOptions.Generation)).Start();
                var answer = format.Trigger + Encoding.UTF8.GetString(matcher.ShortestCompletion().Span);
                var (text, calls) = format.Parse(answer, tools);
                Assert.Contains(Assert.Single(calls).Name, tools.Select(t => t.Name));
                Assert.Equal("", text);
            }
        }
    }

    [Theory]
    [InlineData("json", "<|python_tag|>{\"name\": \"list\", \"parameters\": {}}", "")]
    [InlineData("json", "```json\n{\"name\": \"list\", \"parameters\": {}}\n```", "")]
    [InlineData("json", "{\"type\": \"function\", \"function\": {\"name\": \"list\", \"arguments\": \"{}\"}}", "")]
    [InlineData("mistral", "[TOOL_CALLS][{\"name\": \"list\", \"arguments\": {}, \"id\": \"abcdef123\"}]", "")]
    [InlineData("mistral", "[TOOL_CALLS]list[CALL_ID]abc[ARGS]{}", "")]
    [InlineData("hermes", "So <tool_call>{\"name\": \"list\", \"arguments\": {}}", "So")]
    [InlineData("harmony", "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.list <|constrain|>json<|message|>{}<|call|>", "<|channel|>analysis<|message|>Hm.<|end|>")]
    [InlineData("gemma4", "So <|tool_call>call:list{}<tool_call|>", "So")]
    [InlineData("gemma4", "<|tool_call>call:list{ \"a\": \"b\", c: <|\"|>d, \"}<|\"|>, e: [1, x y, {f:None}] }", "")]
    [InlineData("harmony", "<|start|>assistant to=functions.list<|channel|>commentary json<|message|>{}", "")]
    [InlineData("qwen3coder", "So <tool_call><function=list><parameter=a>b</parameter></function></tool_call>", "So")]
    [InlineData("qwen3coder", "<tool_call>\n<function=list>\n</function>\n</tool_call>\n\n", "")]
    [InlineData("qwen3coder", "<tool_call>\n<function=list>\n<parameter=a>\n</parameter>\n</function>", "")]
    public void Variants_that_models_write_are_read(string name, string answer, string expected)
    {
        var (text, calls) = Formats[name].Parse(answer, []);
        Assert.Equal("list", Assert.Single(calls).Name);
        Assert.Equal(expected, text);
    }

    [Theory]
    [InlineData("hermes", "<tool_call>not json</tool_call>")]
    [InlineData("hermes", "<tool_call>{\"nome\": 1}</tool_call>")]
    [InlineData("json", "Use {\"x\": {\"name\": \"list\"}} here.")]
    [InlineData("json", "{\"name\": 5}")]
    [InlineData("mistral", "[TOOL_CALLS] sorry")]
    [InlineData("phi", "<|tool_call|>[]<|/tool_call|>")]
    [InlineData("harmony", "to=functions. nothing")]
    [InlineData("gemma4", "<|tool_call>call:list")]
    [InlineData("gemma4", "<|tool_call>call:list{a:<|\"|>b}<tool_call|>")]
    [InlineData("gemma4", "<|tool_call>list{}<tool_call|>")]
    [InlineData("qwen3coder", "<tool_call>\n{\"name\": \"list\", \"arguments\": {}}\n</tool_call>")]
    [InlineData("qwen3coder", "<tool_call>\n<function=>\n</function>\n</tool_call>")]
    [InlineData("qwen3coder", "<tool_call>\n<function=list>\n<parameter=a>\nb\n</function>\n</tool_call>")]
    [InlineData("qwen3coder", "<tool_call>\n<function=list>\n<parameter=a>\nb\n</parameter>")]
    [InlineData("qwen3coder", "<tool_call>\n<function=list\n>\n</function>\n</tool_call>")]
    public void What_is_no_call_stays_text(string name, string answer)
    {
        var (text, calls) = Formats[name].Parse(answer, [Read, List]);
        Assert.Empty(calls);
        Assert.Equal(answer, text);
    }

    [Property(MaxTest = 500)]
    public Property Babble_never_throws()
    {
        var pieces = Gen.Elements(
            "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "<|tool_call>call:f{", "<tool_call|>", "<|\"|>", "a:", "<|tool_call|>", "<|/tool_call|>", "<|channel|>commentary to=functions.", "<|message|>",
            "{\"name\": \"f\", \"arguments\": {}}", "{\"name\": ", "\"a\"", "{", "}", "[", "]", ",", ":", "\"", "\\u12", "x", "\n", "\ud83c", "🌦", "null", "1e999", "{\"a\":1,\"a\":2}",
            "<tool_call>\n<function=read_file>\n", "<parameter=line>\n", "<parameter=path>", "</parameter>", "</function>");
        return Prop.ForAll(pieces.ArrayOf().Select(string.Concat).ToArbitrary(), answer =>
            Formats.Values.All(format => format.Parse(answer, [Read, List]) is { Text: not null, Calls: not null }));
    }

    /// <summary>Whatever names and arguments say, calls that are written are read back, in every family.</summary>
    [Property(MaxTest = 300)]
    public Property What_calls_say_is_read_back()
    {
        var names = Gen.Elements("f", "read_file", "a-b", "x.y");
        var texts = Gen.Elements(
            "<|call|>", "<|channel|>commentary to=functions.f", "<|message|>", "<|\"|>", "<tool_call|>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]", "<|/tool_call|>",
            "</function>", "<parameter=k>", "</parameter", "True",
            "\"", "\\", "{", "}", "]", ",", ":", "\n", "1", "true", "None", "é", "🌦", " ", "a").ArrayOf().Select(string.Concat);
        var scalars = Gen.OneOf(
            texts.Select(t => (JsonNode?)JsonValue.Create(t)),
            Gen.Choose(-1000, 1000).Select(i => (JsonNode?)JsonValue.Create(i)),
            Gen.Elements(0.5, -1e-7, 1e21).Select(d => (JsonNode?)JsonValue.Create(d)),
            Gen.Elements(true, false).Select(b => (JsonNode?)JsonValue.Create(b)),
            Gen.Constant((JsonNode?)null));
        Gen<JsonNode?> Values(int depth) => depth == 0 ? scalars : Gen.Frequency(
            (3, scalars),
            (1, Values(depth - 1).ArrayOf().Select(items => (JsonNode?)new JsonArray([.. items.Take(3).Select(i => i?.DeepClone())]))),
            (1, Objects(depth - 1).Select(o => (JsonNode?)o)));
        Gen<JsonObject> Objects(int depth) =>
            from chosen in Gen.SubListOf("path", "line_no", "of what", "ünï", "k")
            from values in Values(depth).ArrayOf(chosen.Count)
            select new JsonObject(chosen.Zip(values, (k, v) => KeyValuePair.Create(k, v?.DeepClone())));
        var calls =
            from name in names
            from arguments in Objects(2)
            select (Name: name, Arguments: arguments);

        // A function for each call, so that its schema can tell the types of the arguments.
        return Prop.ForAll(calls.NonEmptyListOf().Select(all => all.Select((c, i) => (Name: c.Name + i, c.Arguments)).ToArray()).ToArbitrary(), written => Formats.Values.All(format =>
        {
            // As the tokenizer's texts come: what only spells a marker is kept apart.
            var markers = new SpecialTextSet(format.Markers);
            var text = format.Write(
                [.. written.Select(w => new FunctionCallContent("", w.Name, w.Arguments.ToDictionary(p => p.Key, p => (object?)p.Value)))],
                data => ContentMarks.BreakSpecials(data, markers));
            var (rest, read) = format.Parse(text, [.. written.Select(w => Typed(w.Name, w.Arguments))]);
            return read.Count == written.Length
                && read.Zip(written).All(pair => pair.First.Name == pair.Second.Name
                    && JsonNode.DeepEquals(JsonSerializer.SerializeToNode(pair.First.Arguments), pair.Second.Arguments));
        }));
    }

    [Theory]
    [InlineData("hermes.jinja", typeof(HermesToolCallFormat))]
    [InlineData("chatml.jinja", typeof(HermesToolCallFormat))]
    [InlineData("llama3.jinja", typeof(JsonToolCallFormat))]
    [InlineData("gemma.jinja", typeof(JsonToolCallFormat))]
    [InlineData("mistral.jinja", typeof(MistralToolCallFormat))]
    [InlineData("phi.jinja", typeof(PhiToolCallFormat))]
    [InlineData("harmony.jinja", typeof(HarmonyToolCallFormat))]
    [InlineData("qwen3coder.jinja", typeof(Qwen3CoderToolCallFormat))]
    public void Family_is_found_by_its_template(string template, Type expected)
        => Assert.IsType(expected, ToolCallFormats.For(GoldenTemplateTests.Source(template), []));

    [Theory]
    [InlineData("<|start|>assistant to=' + 'functions.' + name + '<|channel|>commentary <|message|>", typeof(HarmonyToolCallFormat))]
    [InlineData("<|tool_call>call:' + name + '{' ... <tool_call>", typeof(Gemma4ToolCallFormat))]
    public void Family_is_found_by_its_tokens(string template, Type expected) => Assert.IsType(expected, ToolCallFormats.For(template, []));

    private static AIFunctionDeclaration Typed(string name, JsonObject arguments) => AIFunctionFactory.CreateDeclaration(
        name,
        null,
        JsonSerializer.SerializeToElement(new
        {
            type = "object",
            properties = arguments.ToDictionary(p => p.Key, p => new
            {
                type = p.Value?.GetValueKind() switch
                {
                    JsonValueKind.String => "string",
                    JsonValueKind.Number => "number",
                    JsonValueKind.True or JsonValueKind.False => "boolean",
                    JsonValueKind.Array => "array",
                    JsonValueKind.Object => "object",
                    _ => "null",
                },
            }),
        }));

    [Fact]
    public void Mistral_ids_are_nine_letters_and_digits()
    {
        IToolCallFormat format = new MistralToolCallFormat(withArgs: false);
        Assert.Equal("abcDEF123", format.CallId("abcDEF123"));
        Assert.Matches("^[0-9a-f]{9}$", format.CallId("call_0"));
        Assert.NotEqual(format.CallId("call_0"), format.CallId("call_1"));
    }
}
