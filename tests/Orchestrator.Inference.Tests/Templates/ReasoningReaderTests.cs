using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Microsoft.Extensions.AI;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Inference.Tests.Templates;

public class ReasoningReaderTests
{
    private static readonly ReasoningFormat Think = Detect("{{ '</think>' }}{{ messages[0].content }}");

    [Theory]
    [InlineData("<think>\nHm.\n</think>\n\nYes.", "Hm.\n", "Yes.")]
    [InlineData("Yes <b> no.", "", "Yes <b> no.")]
    [InlineData("<think>cut", "cut", "")]
    [InlineData("a<thin", "", "a<thin")]
    public void Reasoning_is_kept_apart(string answer, string reasoning, string text)
        => Assert.Equal((reasoning, text), Read(Think, answer, answer.Length));

    [Fact]
    public void Answer_may_begin_within_reasoning()
    {
        Assert.True(Think.IsBegunBy("<|im_start|>assistant\n<think>\n"));
        Assert.False(Think.IsBegunBy("<|im_start|>assistant\n<think>\n\n</think>\n\n"));
        Assert.Equal(("Hm.", "Yes."), Read(Think, "Hm.</think>Yes.", 3, within: true));
    }

    [Fact]
    public void Harmony_channels_are_kept_apart()
    {
        var format = Detect("{{ '<|channel|>' }}");
        Assert.Equal(
            ("Hm.", "Yes."),
            Read(format, "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>", 5));
    }

    [Fact]
    public void Template_without_reasoning_has_no_format() => Assert.Null(ReasoningFormat.Detect(ChatTemplate.Parse("{{ messages }}")));

    /// <summary>However the answer is cut into pieces, the outcome is the same.</summary>
    [Property(MaxTest = 300)]
    public Property Pieces_do_not_matter()
    {
        var answers = Gen.Elements("<think>", "</think>", "<", "/think>", "<th", "\n", "a", "b c").ArrayOf().Select(string.Concat);
        return Prop.ForAll(answers.ToArbitrary(), answer => Read(Think, answer, 1) == Read(Think, answer, answer.Length + 1));
    }

    private static ReasoningFormat Detect(string template) => ReasoningFormat.Detect(ChatTemplate.Parse(template))!;

    private static (string Reasoning, string Text) Read(ReasoningFormat format, string answer, int piece, bool within = false)
    {
        var reader = format.Start(within);
        var (reasoning, text) = (new StringBuilder(), new StringBuilder());
        void Add(IEnumerable<AIContent> contents)
        {
            foreach (var content in contents)
            {
                _ = content is TextReasoningContent r ? reasoning.Append(r.Text) : text.Append(((TextContent)content).Text);
            }
        }

        for (var i = 0; i < answer.Length; i += piece)
        {
            Add(reader.Append(answer[i..Math.Min(answer.Length, i + piece)]));
        }

        Add(reader.Flush());
        return (reasoning.ToString(), text.ToString());
    }
}
