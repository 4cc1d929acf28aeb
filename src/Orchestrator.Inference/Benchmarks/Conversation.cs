namespace Orchestrator.Inference.Benchmarks;

/// <summary>An answer: its tokens and how long its first one took.</summary>
internal readonly record struct Answer(int[] Tokens, TimeSpan FirstToken);

/// <summary>Carries a workload's conversation: builds each prompt from what was said.</summary>
/// <param name="workload">The workload.</param>
/// <param name="texts">Its texts.</param>
/// <param name="prefix">What an agent's prompts begin with.</param>
internal sealed class Conversation(Workload workload, Texts texts, Func<int, IEnumerable<int>> prefix)
{
    private readonly int[][] _prefixes = [.. Enumerable.Range(0, workload.Agents).Select(a => prefix(a).ToArray())];
    private readonly List<int> _transcript = [];
    private readonly List<TimeSpan> _firstTokens = [];

    /// <summary>Time to the first token of each answer.</summary>
    public IReadOnlyList<TimeSpan> FirstTokens => _firstTokens;

    /// <summary>Every prompt so far with its answer.</summary>
    public List<(int[] Prompt, int[] Answer)> History { get; } = [];

    /// <summary>Runs it.</summary>
    /// <param name="answer">Answers a set of prompts, each of an agent.</param>
    public async Task RunAsync(Func<IReadOnlyList<(int Agent, int[] Prompt)>, Task<Answer[]>> answer)
    {
        for (var round = 0; round < workload.Rounds; round++)
        {
            if (workload.Talk == Talk.AtOnce)
            {
                await SpeakAsync([.. Enumerable.Range(0, workload.Agents)], answer).ConfigureAwait(false);
                continue;
            }

            for (var agent = 0; agent < workload.Agents; agent++)
            {
                await SpeakAsync([agent], answer).ConfigureAwait(false);
            }
        }
    }

    private async Task SpeakAsync(int[] agents, Func<IReadOnlyList<(int Agent, int[] Prompt)>, Task<Answer[]>> answer)
    {
        var asked = agents.Select(a => (a, (int[])[.. _prefixes[a], .. _transcript, .. texts.Cues[a]])).ToList();
        var answers = await answer(asked).ConfigureAwait(false);
        for (var i = 0; i < agents.Length; i++)
        {
            if (answers[i].Tokens.Length != Workload.Answer)
            {
                throw new InvalidOperationException($"An answer has {answers[i].Tokens.Length} tokens.");
            }

            History.Add((asked[i].Item2, answers[i].Tokens));
            _transcript.AddRange(texts.Cues[agents[i]]);
            _transcript.AddRange(answers[i].Tokens);
            _firstTokens.Add(answers[i].FirstToken);
        }
    }
}

/// <summary>Counts what had to be computed at least.</summary>
internal static class PrefixTrie
{
    /// <summary>
    /// The nodes of the trie of all prompts that were not computed before on their path, as prompt or as sampled token.
    /// The last token of an answer is sampled, not computed, so it counts where a later prompt holds it.
    /// </summary>
    public static int CountNew(IEnumerable<(int[] Prompt, int[] Answer)> history)
    {
        var root = new Node();
        var count = 0;
        foreach (var (prompt, answer) in history)
        {
            var node = root;
            foreach (var token in prompt)
            {
                count += node.Next.TryGetValue(token, out var next) ? 0 : 1;
                node = next ?? (node.Next[token] = new Node());
            }

            foreach (var token in answer[..^1])
            {
                node = node.Next.TryGetValue(token, out var next) ? next : node.Next[token] = new Node();
            }
        }

        return count;
    }

    private sealed class Node
    {
        public Dictionary<int, Node> Next { get; } = [];
    }
}
