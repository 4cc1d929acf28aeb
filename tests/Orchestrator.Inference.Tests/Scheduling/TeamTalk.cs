using Orchestrator.Inference.Benchmarks;
using Orchestrator.Inference.Scheduling;

namespace Orchestrator.Inference.Tests.Scheduling;

/// <summary>
/// A conversation of agents laid out as teams lay it out, the cue last. It says of each prompt where the transcript
/// ends, and counts what was computed and what had to be.
/// </summary>
internal sealed class TeamTalk(IInferenceEngine engine, bool atOnce, bool keepsCue)
{
    private const int Rounds = 4;
    private const int Agents = 5;
    private readonly List<(int[] Prompt, int[] Answer)> _history = [];

    /// <summary>Prompt tokens that were computed.</summary>
    public int Computed { get; private set; }

    /// <summary>Prompt tokens that no prompt or answer before them holds on their path.</summary>
    public int New => PrefixTrie.CountNew(_history);

    public async Task RunAsync()
    {
        var transcript = Words("The team looks for what went wrong last night, when the service wrote errors.\n");
        for (var round = 0; round < Rounds; round++)
        {
            var speakers = Enumerable.Range(0, Agents).ToArray();
            foreach (var together in atOnce ? [speakers] : speakers.Select(s => new[] { s }))
            {
                var asked = together.Select(agent => (Cue: Words($"{(char)('A' + agent)}, round {round}: "), Transcript: transcript)).ToArray();
                var answers = await Task.WhenAll(asked.Select(a => AnswerAsync([.. a.Transcript, .. a.Cue], a.Transcript.Length)));
                for (var i = 0; i < together.Length; i++)
                {
                    // Where the cue is not kept, what was said is told in other words than it was computed with.
                    int[] header = keepsCue ? asked[i].Cue : Words($"from {(char)('A' + together[i])}: ");
                    transcript = [.. transcript, .. header, .. answers[i].Where(t => !engine.Tokenizer.IsEndOfGeneration(t)), .. Words("\n")];
                }
            }
        }
    }

    private async Task<int[]> AnswerAsync(int[] prompt, int transcript)
    {
        var answer = new List<int>();
        var request = new GenerationRequest
        {
            Prompt = prompt,
            MaxTokens = 12,
            Sampling = new SamplingOptions { Temperature = 0 },
            Checkpoints = [transcript],
        };
        await foreach (var token in engine.GenerateAsync(request))
        {
            answer.Add(token.Token);
            if (token.Cost is { } cost)
            {
                lock (_history)
                {
                    Computed += cost.ComputedTokens;
                    _history.Add((prompt, [.. answer]));
                }
            }
        }

        return [.. answer];
    }

    private int[] Words(string text) => engine.Tokenizer.Tokenize(text, parseSpecial: false);
}
