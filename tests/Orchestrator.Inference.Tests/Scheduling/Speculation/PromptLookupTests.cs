using FsCheck.Xunit;
using Orchestrator.Inference.Scheduling.Speculation;

namespace Orchestrator.Inference.Tests.Scheduling.Speculation;

public class PromptLookupTests
{
    [Fact]
    public void Text_goes_on_as_at_the_longest_place_that_agrees()
    {
        // "7 8" was followed by 1, and "6 7 8" by 2, and then "7 8" by 3.
        List<int> tokens = [7, 8, 1, 6, 7, 8, 2, 9, 7, 8, 3, 5, 6, 7, 8];
        var guess = Guess(new PromptLookup(tokens, HitRates.ForLookup()), 4);
        Assert.Equal([2, 9, 7, 8], guess.Select(g => g.Token));
        Assert.True(guess.Zip(guess.Skip(1)).All(p => p.First.Probability > p.Second.Probability));
    }

    [Fact]
    public void A_text_that_repeats_itself_is_guessed_past_its_end()
    {
        List<int> tokens = [1, 2, 3, 1, 2, 3, 1, 2];
        Assert.Equal([3, 1, 2, 3, 1, 2, 3, 1], Guess(new PromptLookup(tokens, HitRates.ForLookup()), 8).Select(g => g.Token));
    }

    [Fact]
    public void What_did_not_stand_before_is_not_guessed()
    {
        Assert.Empty(Guess(new PromptLookup([1, 2, 3, 4, 2], HitRates.ForLookup()), 8));
        Assert.Empty(Guess(new PromptLookup([1], HitRates.ForLookup()), 8));
    }

    [Fact]
    public void Wrong_guesses_lower_the_probability_and_right_ones_raise_it()
    {
        var rates = HitRates.ForLookup();
        List<int> tokens = [];
        var lookup = new PromptLookup(tokens, rates);
        var random = new Random(3);
        var before = rates.Of(2);
        for (var i = 0; i < 400; i++)
        {
            // Pairs stand again and again, and what follows them is chance.
            tokens.Add(random.Next(10));
            lookup.Written(chosen: true);
            Guess(lookup, 1);
        }

        Assert.InRange(rates.Of(2), 0, before / 2);

        var right = rates.Child();
        for (var i = 0; i < 100; i++)
        {
            right.Record(2, hit: true);
        }

        Assert.InRange(right.Of(2), 0.8, 1);
    }

    [Property(MaxTest = 200, Replay = "5,17")]
    public void Guesses_are_those_of_a_plain_search(int seed)
    {
        var random = new Random(seed);
        List<int> tokens = [];
        var lookup = new PromptLookup(tokens, HitRates.ForLookup());
        var alphabet = random.Next(3, 40);

        // As many as there are candidates, so that none is left out.
        for (var i = 0; i < 30; i++)
        {
            tokens.Add(random.Next(alphabet));
            lookup.Written(chosen: true);
            if (random.Next(3) > 0)
            {
                Assert.Equal(Plain(tokens), Guess(lookup, 1).Select(g => (int?)g.Token).FirstOrDefault());
            }
        }
    }

    private static int? Plain(List<int> tokens)
    {
        var (best, source) = (1, -1);
        for (var at = tokens.Count - 1; at >= 2; at--)
        {
            var agreed = 0;
            while (agreed < at && tokens[at - 1 - agreed] == tokens[tokens.Count - 1 - agreed])
            {
                agreed++;
            }

            if (agreed > best)
            {
                (best, source) = (agreed, at);
            }
        }

        return source < 0 ? null : tokens[source];
    }

    private static List<(int Token, double Probability)> Guess(PromptLookup lookup, int most)
    {
        List<(int Token, double Probability)> guess = [];
        lookup.Guess(most, guess);
        return guess;
    }
}
