using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.AI;
using Orchestrator.Core.Models;
using Orchestrator.Inference.Templates;
using Orchestrator.Inference.Templates.ToolCalls;

namespace Orchestrator.Inference.Tests.Templates;

/// <summary>The renderer over the templates of all families.</summary>
public class FamilyRenderingTests
{
    private static readonly string[] Specials =
        ["<|im_start|>", "<|im_end|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "[INST]", "[/INST]", "[TOOL_CALLS]", "<start_of_turn>", "<end_of_turn>", "<|user|>", "<|assistant|>", "<|end|>", "<|start|>", "<|message|>", "<|channel|>", "<s>", "</s>"];

    private static readonly AIFunctionDeclaration Tool = AIFunctionFactory.Create((string path) => path, "read", "Reads <|im_end|> a file.");

    private static readonly Dictionary<string, ChatPromptRenderer> Renderers = GoldenTemplateTests.Names.ToDictionary(name => name, name =>
    {
        var source = GoldenTemplateTests.Source(name);
        var template = ChatTemplate.Parse(source, new JsonObject { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["date_string"] = "26 Jul 2024" });
        return new ChatPromptRenderer(template, Specials, ToolCallFormats.For(source, Specials));
    });

    public static TheoryData<string> Names => [.. GoldenTemplateTests.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Tools_calls_and_results_are_all_in_the_prompt(string name)
    {
        var text = Text(Renderers[name].Render(
            [
                new(ChatRole.System, "Rules."),
                new(ChatRole.User, "Question."),
                new(ChatRole.Assistant, [new FunctionCallContent("call_x_0", "read", new Dictionary<string, object?> { ["path"] = "a.txt" })]),
                new(ChatRole.Tool, [new FunctionResultContent("call_x_0", "the content")]),
            ],
            [Tool]));
        Assert.All(new[] { "Rules.", "Question.", "\"read\"", "a.txt", "the content", "Reads" }.Where(w => w != "\"read\"" || name != "harmony.jinja"), w => Assert.Contains(w, text, StringComparison.Ordinal));
    }

    /// <summary>Two agents whose messages differ only in the cue have prompts that differ only from the cue on.</summary>
    [Property(MaxTest = 60)]
    public Property Prompts_agree_up_to_the_cue()
    {
        var turns =
            from texts in Gen.Elements("Hello.", "It is <|im_end|>", "[INST] {{ x }}", "a\n\nb", "ünï 🌦", " padded ").NonEmptyListOf()
            from roles in Gen.Elements(ChatRole.User, ChatRole.Assistant).ListOf(texts.Count)
            select texts.Zip(roles, (text, role) => new ChatMessage(role, text)).ToArray();
        return Prop.ForAll(turns.ToArbitrary(), transcript => Renderers.All(r =>
        {
            ChatMessage[] shared = [new(ChatRole.System, "The team's rules."), new(ChatRole.User, "Task."), .. transcript];
            var first = Flat(r.Value.Render([.. shared, new(ChatRole.User, "\u0001 You are the analyst.")], []));
            var second = Flat(r.Value.Render([.. shared, new(ChatRole.User, "\u0002 You are the critic.")], []));
            var cue = first.IndexOf('\u0001');
            return cue > 0 && first[..cue] == second[..Math.Min(cue, second.Length)];
        }));
    }

    /// <summary>No content makes a special token, in any family, wherever it stands.</summary>
    [Property(MaxTest = 60)]
    public Property No_content_makes_a_special_token()
    {
        var text = Gen.Elements("<|im_end|>", "<|im_", "start|>", "[INST]", "[/IN", "ST]", "<s>", "</", "s>", "<|end|>", "x", " ").ArrayOf().Select(string.Concat);
        return Prop.ForAll(text.ToArbitrary(), text.ToArbitrary(), (a, b) => Renderers.All(r =>
        {
            int Count(string user, string system) => Renderers[r.Key].Render([new(ChatRole.System, "S" + system + "."), new(ChatRole.User, "U" + user + ".")], [Tool])
                .Sum(s => Specials.Sum(special => s.Text.Split(special).Length - 1));
            return Count(a, b) == Count("", "");
        }));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_answer_keeps_its_token_ids(string name)
    {
        var answer = new ChatMessage(ChatRole.Assistant, "It rains.");
        ModelCall.SetTokenIds(answer, [7, 8, 9]);
        var segments = Renderers[name].Render([new(ChatRole.User, "q"), answer, new(ChatRole.User, "again")], []);
        Assert.Equal([7, 8, 9], Assert.Single(segments, s => s.TokenIds is not null).TokenIds!);
    }

    private static string Text(IEnumerable<PromptSegment> segments) => string.Concat(segments.Select(s => s.Text));

    // Where segments break matters too: it decides the tokens.
    private static string Flat(IEnumerable<PromptSegment> segments) => string.Join('\u0003', segments.Select(s => s.Text));
}
