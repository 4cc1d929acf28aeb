using System.Text;
using Orchestrator.Inference.Constraints;

namespace Orchestrator.Inference.Tests.Constraints;

public class GbnfTests
{
    private const string Arithmetic = """
        # sums of products, in brackets
        root  ::= sum "\n"?
        sum   ::= product ([-+] product)*
        product ::= value ("*" value){0,2}
        value ::= number | "(" sum ")" |
                  name
        number ::= [0-9]+ ("." [0-9]{1,2})?
        name  ::= [a-z\u00e9-\u00ea] [^ -&(-~\n]{0,3}
        """;

    private const string Brackets = """
        root ::= pair
        pair ::= "[" pair? "]" | "<" (pair | "é")* ">"
        """;

    private static readonly ConstraintCompiler Compiler = new(new TestVocabulary());

    [Theory]
    [InlineData(Arithmetic, "1+2*3", true)]
    [InlineData(Arithmetic, "(1+(2-3.25))*4\n", true)]
    [InlineData(Arithmetic, "1*2*3*4", false)]
    [InlineData(Arithmetic, "1.", false)]
    [InlineData(Arithmetic, "é''", true)]
    [InlineData(Arithmetic, "((1)", false)]
    [InlineData(Brackets, "[[[]]]", true)]
    [InlineData(Brackets, "<[]é<>>", true)]
    [InlineData(Brackets, "[<]>", false)]
    [InlineData("""root ::= "a" root | "" """, "aaa", true)]
    [InlineData("""root ::= ("a"?)* "b" """, "aab", true)]
    public void A_text_is_accepted_exactly_when_the_grammar_derives_it(string grammar, string text, bool valid)
    {
        var matcher = Compiler.Compile(new ConstraintDefinition.Gbnf(grammar)).Start();
        Assert.Equal(valid, matcher.TryAcceptBytes(Encoding.UTF8.GetBytes(text)) && matcher.CanEnd);
    }

    [Theory]
    [InlineData("root ::= root \"a\" | \"a\"", "left recursion")]
    [InlineData("root ::= x root \"a\"\nx ::= \"b\"?", "left recursion")]
    [InlineData("root ::= missing", "not defined")]
    [InlineData("root ::= \"a\" root", "never ends")]
    [InlineData("root ::= (\"a\"", "unclosed '('")]
    [InlineData("root ::= \"a", "unclosed")]
    [InlineData("start ::= \"a\"", "no rule 'root'")]
    [InlineData("root ::= [z-a]", "out of order")]
    public void A_bad_grammar_gets_a_clear_error(string grammar, string message)
    {
        var error = Assert.Throws<ConstraintException>(() => Compiler.Compile(new ConstraintDefinition.Gbnf(grammar)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_refused_and_does_not_crash()
        => Assert.Throws<ConstraintException>(() => Compiler.Compile(new ConstraintDefinition.Gbnf("root ::= " + new string('(', 60_000))));
}
