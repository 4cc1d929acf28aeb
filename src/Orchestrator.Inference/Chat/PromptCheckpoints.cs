using Microsoft.Extensions.AI;
using Orchestrator.Inference.Templates;

namespace Orchestrator.Inference.Chat;

/// <summary>
/// Finds where prompts to come will part from a prompt, for a model that keeps its state only where it is told to. They
/// are laid out as they might be, and what they have in common with the prompt is counted: so it holds for any template,
/// whatever it puts after an answer, and whatever it cuts out of earlier ones. Where a template refuses one, its place is
/// left out.
/// </summary>
internal sealed class PromptCheckpoints(ChatPromptRenderer renderer, PromptTokenizer tokenizer)
{
    /// <summary>Finds the places.</summary>
    /// <param name="conversation">The prompt's messages.</param>
    /// <param name="tools">The tools on offer.</param>
    /// <param name="effort">How much the model is to reason; null for what its template does by itself.</param>
    /// <param name="prompt">The prompt's token ids.</param>
    /// <returns>Lengths of the prompt's beginnings, each 1 to all of it.</returns>
    public IReadOnlyList<int> Find(
        IReadOnlyList<ChatMessage> conversation, IReadOnlyList<AIFunctionDeclaration> tools, ReasoningEffort? effort, int[] prompt)
    {
        var places = new SortedSet<int>();
        if (conversation is [.., { } last] && last.Role == ChatRole.User && last.Contents is [.., TextContent { Text: { Length: > 0 } cue }])
        {
            // Another cue in its place, or more said before it.
            var other = last.Clone();
            other.Contents = [.. last.Contents.SkipLast(1), new TextContent(OtherThan(cue))];
            Add([.. conversation.SkipLast(1), other]);
        }

        // The conversation goes on.
        Add([.. conversation, new ChatMessage(ChatRole.Assistant, "x"), new ChatMessage(ChatRole.User, "x")]);
        return [.. places];

        void Add(IReadOnlyList<ChatMessage> next)
        {
            try
            {
                var length = prompt.AsSpan().CommonPrefixLength(tokenizer.Tokenize(renderer.Render(next, tools, effort: effort)));
                if (length > 0)
                {
                    places.Add(length);
                }
            }
            catch (ChatTemplateException)
            {
                // The prompt itself was laid out, and a place less costs time only.
            }
        }
    }

    private static string OtherThan(string text) => text[0] == 'x' ? "y" : "x";
}
