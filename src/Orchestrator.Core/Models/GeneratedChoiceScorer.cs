using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Orchestrator.Core.Models;

/// <summary>
/// The fallback for models that give no likelihoods: the model writes one option's name under a JSON schema whose
/// only values are the names. An answer outside them counts as no preference.
/// </summary>
public sealed class GeneratedChoiceScorer : IChoiceScorer
{
    private readonly IChatClient _client;

    /// <summary>Creates a scorer over a client.</summary>
    /// <param name="client">The client that writes the choice.</param>
    public GeneratedChoiceScorer(IChatClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        _client = client;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ChoiceResult>> ScoreAsync(
        IReadOnlyList<ChoiceQuestion> questions, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        var results = new List<ChoiceResult>(questions.Count);
        foreach (var question in questions)
        {
            ChoiceQuestions.Validate(question);
            var response = await _client.GetResponseAsync(
                [.. question.Context, new ChatMessage(ChatRole.User, Ask(question))],
                question.Request.ApplyTo(new ChatOptions { ResponseFormat = Format(question), Temperature = 0 }),
                cancellationToken).ConfigureAwait(false);
            var chosen = Chosen(response.Text, question);
            var logits = question.Options.Select((o, i) => Prior(question, i) + (o == chosen ? 0 : -10d)).ToArray();
            results.Add(ChoiceQuestions.Normalise(question, logits, ChoiceMethod.Generated));
        }

        return results;
    }

    private static double Prior(ChoiceQuestion question, int option) => question.LogPriors?[option] ?? 0;

    private static string Ask(ChoiceQuestion question)
    {
        var text = new StringBuilder(question.Evidence).Append("\n\nChoose one:\n");
        foreach (var option in question.Options)
        {
            text.Append("- ").Append(option.Name);
            if (option.Description is not null)
            {
                text.Append(": ").Append(option.Description);
            }

            text.Append('\n');
        }

        return text.Append("Answer as JSON: {\"choice\": NAME}").ToString();
    }

    private static ChatResponseFormat Format(ChoiceQuestion question)
    {
        var names = new JsonArray([.. question.Options.Select(o => (JsonNode?)o.Name)]);
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["choice"] = new JsonObject { ["enum"] = names } },
            ["required"] = new JsonArray("choice"),
            ["additionalProperties"] = false,
        };
        return ChatResponseFormat.ForJsonSchema(JsonSerializer.SerializeToElement(schema), "choice");
    }

    private static Choice? Chosen(string text, ChoiceQuestion question)
    {
        try
        {
            var name = JsonNode.Parse(text)?["choice"]?.GetValue<string>();
            return question.Options.FirstOrDefault(o => o.Name == name);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
