using System.Globalization;
using System.Text;
using Orchestrator.Inference.Constraints.Numbers;

namespace Orchestrator.Inference.Tests.Constraints;

public class MultipleDfaTests
{
    [Fact]
    public void A_long_life_keeps_a_bounded_number_of_states_and_stays_exact()
    {
        var dfa = new MultipleDfa(new NumberRange { MultipleOf = new ExactDecimal(7, 0) }, new NumberStyle(Exponents: false, MaxDigits: 15, LeadingWhitespace: false));
        var random = new Random(1);
        for (var i = 0; i < 40_000; i++)
        {
            var number = random.NextInt64(1, 1_000_000_000_000);
            var state = dfa.Start;
            foreach (var digit in Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)))
            {
                state = state!.Next(digit);
            }

            Assert.NotNull(state);
            Assert.Equal(number % 7 == 0, state.Tag >= 0);
        }

        Assert.Equal(1 << 14, dfa.Count);
        Assert.Same(dfa.Start, dfa.Start);
    }
}
