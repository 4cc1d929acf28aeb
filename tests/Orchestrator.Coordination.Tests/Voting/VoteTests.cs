using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Orchestrator.Coordination.Voting;
using Orchestrator.Core.Models;
using Orchestrator.Testing.Models;

namespace Orchestrator.Coordination.Tests.Voting;

public sealed class VoteTests
{
    [Fact]
    public void Pooling_multiplies_prior_and_likelihoods()
    {
        var question = Question(["a", "b"], 2, [Math.Log(0.2), Math.Log(0.8)]);
        var result = Vote.Count(question, [Result(question, 0.9, 0.1), Result(question, 0.6, 0.4)]);
        var a = 0.2 * Math.Sqrt(0.9 * 0.6);
        var b = 0.8 * Math.Sqrt(0.1 * 0.4);
        Assert.Equal(a > b ? "a" : "b", result.Winner);
        Assert.Equal(Math.Max(a, b) / (a + b), result.Shares[0].Share, 9);
        Assert.Equal(Math.Abs(a - b) / (a + b), result.Margin, 9);
        Assert.Equal(["a", "b"], result.Ballots.Select(x => x.Choice));
    }

    [Fact]
    public void Without_weight_the_prior_decides()
    {
        var question = Question(["a", "b"], 1, [0, 1]) with { Weight = 0 };
        Assert.Equal("b", Vote.Count(question, [Result(question, 0.999, 0.001)]).Winner);
    }

    [Fact]
    public void Per_token_a_long_text_says_as_much_as_a_short_one()
    {
        var question = Question(["a", "b"], 1, [0, 0.1]) with { PerToken = true };
        var say = Result(question, 0.6, 0.4) with { EvidenceTokens = 1 };
        var repeat = Result(question, Math.Pow(0.6, 100), Math.Pow(0.4, 100)) with { EvidenceTokens = 100 };
        Assert.Equal("a", Vote.Count(question, [say]).Winner);
        Assert.Equal(Vote.Count(question, [say]).Margin, Vote.Count(question, [repeat]).Margin, 9);
        Assert.True(Vote.Count(question with { PerToken = false }, [repeat]).Margin > 0.999);
    }

    [Property(MaxTest = 300)]
    public Property A_prior_surer_than_twice_the_limit_stands(NormalFloat score, PositiveInt options) => Prop.ForAll(
        Gen.Choose(-500, 0).ArrayOf(2 + (options.Get % 4)).ToArbitrary(),
        scores =>
        {
            string[] names = [.. scores.Select((_, i) => $"o{i}")];
            var question = Question(names, 1, [.. names.Select((_, i) => i == 0 ? 1.01 : 0)]) with { MaxShift = 0.5, Weight = Math.Abs(score.Get) };
            var asked = new ChoiceQuestion { Evidence = "", Options = question.Options };
            return Vote.Count(question, [ChoiceQuestions.Normalise(asked, [.. scores.Select(s => (double)s)], ChoiceMethod.Channel)]).Winner == "o0";
        });

    [Fact]
    public void Plurality_counts_votes_and_breaks_ties_by_the_pooled_share()
    {
        var question = Question(["a", "b", "c"], 3) with { Rule = VotingRule.Plurality };
        var one = Vote.Count(question, [Result(question, 0.4, 0.35, 0.25), Result(question, 0.4, 0.3, 0.3), Result(question, 0, 0.01, 0.99)]);
        Assert.Equal(("a", 2 / 3d), (one.Winner, one.Shares[0].Share));
        var tie = Vote.Count(question, [Result(question, 0.4, 0.3, 0.3), Result(question, 0.1, 0.5, 0.4), Result(question, 0.1, 0.2, 0.7)]);
        Assert.Equal(("c", 0d), (tie.Winner, tie.Margin));
    }

    [Property(MaxTest = 500)]
    public Property Shares_sum_to_one_and_the_winner_has_the_most() => Prop.ForAll(
        (from options in Gen.Choose(1, 5)
         from voters in Gen.Choose(1, 4)
         from scores in Gen.ArrayOf(Gen.Choose(-400, 0), options * voters)
         from priors in Gen.ArrayOf(Gen.Choose(-50, 50), options)
         from rule in Gen.Elements(VotingRule.Pooled, VotingRule.Plurality)
         select (options, voters, scores, priors, rule)).ToArbitrary(),
        c =>
        {
            var names = Enumerable.Range(0, c.options).Select(o => $"o{o}").ToArray();
            var question = Question(names, c.voters, [.. c.priors.Select(p => p / 5d)]) with { Rule = c.rule };
            var results = Enumerable.Range(0, c.voters)
                .Select(v => ChoiceQuestions.Normalise(
                    new ChoiceQuestion { Evidence = "", Options = question.Options },
                    [.. c.scores.Skip(v * c.options).Take(c.options).Select(s => (double)s)],
                    ChoiceMethod.Channel))
                .ToArray();
            var result = Vote.Count(question, results);
            Assert.Equal(1, result.Shares.Sum(s => s.Share), 9);
            Assert.Equal(result.Shares.Max(s => s.Share), result.Shares.Single(s => s.Option == result.Winner).Share, 12);
            Assert.InRange(result.Margin, 0, 1);
        });

    [Fact]
    public async Task All_voters_are_asked_in_one_batch_each_with_its_own_evidence_and_name()
    {
        var scorer = new ScriptedChoiceScorer(q => q.Evidence == "saw b" ? "b" : "a");
        var result = await Vote.HoldAsync(scorer, Question(["a", "b"], 0) with
        {
            Voters = [("ann", "saw a"), ("bob", "saw b"), ("cid", "saw a")],
            Rule = VotingRule.Plurality,
        });
        Assert.Equal("a", result.Winner);
        Assert.Equal(["ann", "bob", "cid"], scorer.Questions.Select(q => q.Request.Agent));
        Assert.All(scorer.Questions, q => Assert.Null(q.LogPriors));
    }

    [Fact]
    public async Task Options_of_one_name_and_priors_of_another_number_are_refused()
    {
        var scorer = new ScriptedChoiceScorer(q => q.Options[0].Name);
        await Assert.ThrowsAsync<ArgumentException>(() => Vote.HoldAsync(scorer, Question(["a", "a"], 1)));
        await Assert.ThrowsAsync<ArgumentException>(() => Vote.HoldAsync(scorer, Question(["a", "b"], 1, [0])));
    }

    private static VoteQuestion Question(string[] options, int voters, double[]? priors = null) => new()
    {
        Question = "Which?",
        Options = [.. options.Select(o => new Choice(o, $"It is {o}."))],
        LogPriors = priors,
        Voters = [.. Enumerable.Range(0, voters).Select(v => ($"v{v}", "e"))],
    };

    private static ChoiceResult Result(VoteQuestion question, params double[] probabilities) => new(
        [.. question.Options.Zip(probabilities, (o, p) => new ChoiceScore(o, Math.Log(p), p))], ChoiceMethod.Channel);
}
