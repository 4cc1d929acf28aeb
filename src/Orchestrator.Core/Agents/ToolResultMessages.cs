using Orchestrator.Core.Messages;
using Orchestrator.Core.Text;

namespace Orchestrator.Core.Agents;

/// <summary>How tool calls stand in a transcript.</summary>
public static class ToolResultMessages
{
    /// <summary>
    /// The turn that shows a tool call to everybody. An agent lays its own calls out so before it answers; who adds
    /// its <see cref="AgentReply.ToolResults"/> to the transcript by this same method, and then its answer, gets the
    /// very bytes that the agent's prompt had, and so its KV cache.
    /// </summary>
    /// <param name="result">The call and its outcome.</param>
    /// <param name="caller">Who called.</param>
    /// <param name="maxCharacters">How much of the result is shown; what is cut off is marked by an ellipsis.</param>
    /// <returns>A turn from the tool.</returns>
    public static TeamMessage ToMessage(this ToolResult result, string caller, int maxCharacters = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(result);
        var text = result.Result;
        if (text.Length > maxCharacters)
        {
            text = string.Concat(Excerpt.Beginning(text, maxCharacters), " …");
        }

        var outcome = result.Failed ? "failed: " : "";
        return new TeamMessage(
            result.Tool,
            $"called by {caller} with {result.Arguments.GetRawText()}\n{outcome}{text}",
            result.Failed ? Performative.Refuse : Performative.Inform);
    }
}
