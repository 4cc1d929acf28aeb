using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.Inference.Constraints;
using Orchestrator.Inference.Constraints.Automata;
using Orchestrator.Inference.Templates;
using Orchestrator.Inference.Templates.ToolCalls;
using Orchestrator.Testing.Drivers;

namespace Orchestrator.Inference.Tests.Constraints;

public class SpecialTokenConstraintTests
{
    private const int Quote = 260;
    private const int Tag = 261;

    private static readonly FakeTokenizer Tokenizer = new(
        new FakeDriverOptions().Merges, [.. FakeDriverOptions.ChatMlSpecials, Gemma4Values.Quote, "<|tag|>"]);

    private static readonly ConstraintCompiler Compiler = new(Tokenizer);

    [Fact]
    public void A_special_token_is_allowed_where_it_is_asked_for_and_nowhere_else()
    {
        var matcher = Compiler.Compile(new ConstraintDefinition.Sequence(
            new ConstraintDefinition.Regex("[^x]*"), new ConstraintDefinition.Markup("<|tag|>x<|im_end|>"))).Start();

        // In free text: any letter, and the token that ends it; its letters are only text.
        Assert.True(Allows(matcher, 'a') && Allows(matcher, Tag));
        Assert.False(Allows(matcher, 'x') || Allows(matcher, Quote) || Allows(matcher, FakeTokenizer.MessageEnd) || Allows(matcher, FakeTokenizer.End));
        Assert.True(Tokenizer.Tokenize("<|tag|>", parseSpecial: false).All(matcher.TryAccept));
        Assert.False(matcher.CanEnd);

        Assert.True(matcher.TryAccept(Tag));
        Assert.False(Allows(matcher, 'a') || Allows(matcher, Tag));
        Assert.True(matcher.TryAccept('x'));

        // An end that is asked for is the only one.
        Assert.True(Allows(matcher, FakeTokenizer.MessageEnd));
        Assert.False(Allows(matcher, FakeTokenizer.End));
        Assert.True(matcher.TryAccept(FakeTokenizer.MessageEnd) && matcher.MustEnd);
    }

    [Fact]
    public void What_is_forced_and_what_completes_have_the_tokens_too()
    {
        var matcher = Compiler.Compile(new ConstraintDefinition.Markup("a<|tag|>b")).Start();
        byte[] expected = [(byte)'a', .. TokenSpelling.Spell(Tag), (byte)'b'];
        Assert.Equal(expected, matcher.ForcedBytes().ToArray());
        Assert.Equal(expected, matcher.ShortestCompletion().ToArray());
        Assert.Equal(expected.Length, matcher.MinBytesToEnd);
        Assert.True(matcher.TryAcceptBytes(expected) && matcher.CanEnd);
    }

    [Fact]
    public void A_literal_and_a_vocabulary_without_the_token_have_its_letters()
    {
        Assert.Equal("<|tag|>"u8.ToArray(), Compiler.Compile(new ConstraintDefinition.Literal("<|tag|>")).Start().ForcedBytes().ToArray());
        Assert.Equal("<|tag|>"u8.ToArray(), new ConstraintCompiler(new TestVocabulary()).Compile(new ConstraintDefinition.Markup("<|tag|>")).Start().ForcedBytes().ToArray());
    }

    /// <summary>Whatever the schema, what a random model writes with texts between tokens and bare names is read back as valid JSON.</summary>
    [Fact]
    public void Values_with_texts_between_tokens_are_valid_when_they_are_read()
    {
        var exact = new ConstraintCompiler(new ByteVocabulary());
        var marks = new SpecialTextSet([Gemma4Values.Quote]);
        var written = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            var random = new Random(seed);
            var schema = new RandomSchema(random, formats: false).Draw().ToJsonString();
            var options = new JsonConstraintOptions { Quote = Gemma4Values.Quote, MaxStringLength = 1 + random.Next(8), MaxItems = 3, MaxAdditionalProperties = random.Next(3), MaxDigits = 5 };
            ITokenConstraint constraint, judge;
            try
            {
                judge = exact.Compile(new ConstraintDefinition.JsonSchema(schema, JsonConstraintOptions.Validation));
                constraint = Compiler.Compile(new ConstraintDefinition.Sequence(
                    new ConstraintDefinition.Literal("{v:"), new ConstraintDefinition.JsonSchema(schema, options), new ConstraintDefinition.Literal("}")));
            }
            catch (ConstraintException)
            {
                continue;
            }

            var answer = Write(constraint.Start(), random, marks);
            var value = Assert.IsType<JsonObject>(new Gemma4Values(answer, 0).Read())["v"];
            var json = value?.ToJsonString(CallJson.Options) ?? "null";
            var matcher = judge.Start();
            Assert.True(matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(json)) && matcher.CanEnd, $"{answer} is {json}, which is not valid under {schema}");
            written++;
        }

        Assert.True(written > 200, $"Only {written} schemas could be tried.");
    }

    private static string Write(IConstraintMatcher matcher, Random random, SpecialTextSet marks)
    {
        var bytes = new List<byte>();
        for (var n = 0; n < 80 && !matcher.MustEnd; n++)
        {
            var allowed = Enumerable.Range(0, Tokenizer.Size).Where(t => !Tokenizer.IsEndOfGeneration(t) && Allows(matcher, t)).ToArray();
            var token = allowed[random.Next(allowed.Length)];
            Assert.True(matcher.TryAccept(token));
            bytes.AddRange(TokenSpelling.Of(Tokenizer, token));
        }

        var rest = matcher.ShortestCompletion().ToArray();
        Assert.True(rest.Length <= matcher.MinBytesToEnd && matcher.TryAcceptBytes(rest) && matcher.CanEnd);
        bytes.AddRange(rest);

        var answer = new StringBuilder();
        var all = bytes.ToArray().AsSpan();
        while (all.IndexOf(TokenSpelling.Mark) is var mark and >= 0)
        {
            Assert.Equal(Quote, TokenSpelling.Read(all[mark..]));
            answer.Append(ContentMarks.BreakSpecials(Encoding.UTF8.GetString(all[..mark]), marks)).Append(Gemma4Values.Quote);
            all = all[(mark + TokenSpelling.Length)..];
        }

        return answer.Append(Encoding.UTF8.GetString(all)).ToString();
    }

    private static bool Allows(IConstraintMatcher matcher, int token)
    {
        var allowed = (matcher.Mask()[token / 32] & (1u << (token % 32))) != 0;
        Assert.Equal(allowed, matcher.Clone().TryAccept(token));
        return allowed;
    }
}
