using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ToolCalls.Bench;

/// <summary>What came of a case.</summary>
/// <param name="Case">The case.</param>
/// <param name="Parsed">Whether the answer is one call whose arguments are a JSON object.</param>
/// <param name="Named">Whether it names the right function.</param>
/// <param name="Tokens">How many tokens it has.</param>
/// <param name="Fault">What is wrong with it; null where it is right as a whole.</param>
internal sealed record Outcome(ToolCase Case, bool Parsed, bool Named, int Tokens, string? Fault);

/// <summary>Asks for calls over HTTP as any client of OpenAI's API does, with nothing set but what decides the answer.</summary>
internal sealed class ToolCallClient(Uri server, string token) : IDisposable
{
    private readonly HttpClient _http = new()
    {
        BaseAddress = server,
        Timeout = TimeSpan.FromMinutes(10),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
    };

    public async Task<Outcome> AskAsync(ToolCase test, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["messages"] = JsonNode.Parse(test.Messages.GetRawText()),
            ["tools"] = new JsonArray([.. test.Functions.Select(f => new JsonObject
            {
                ["type"] = "function",
                ["function"] = JsonNode.Parse(f.GetRawText()),
            })]),
            ["tool_choice"] = "required",
            ["temperature"] = 0,
        };
        using var response = await _http.PostAsJsonAsync("v1/chat/completions", body, cancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            return new Outcome(test, false, false, 0, answer.GetProperty("error").GetProperty("message").GetString());
        }

        var tokens = answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32();
        var message = answer.GetProperty("choices")[0].GetProperty("message");
        if (!message.TryGetProperty("tool_calls", out var calls) || calls.GetArrayLength() != 1)
        {
            return new Outcome(test, false, false, tokens, $"not one call: {message.GetRawText()}");
        }

        var call = calls[0].GetProperty("function");
        var name = call.GetProperty("name").GetString();
        var written = call.GetProperty("arguments").GetString()!;
        if (!IsObject(written, out var arguments))
        {
            return new Outcome(test, false, name == test.Function, tokens, $"arguments {written}");
        }

        var fault = name != test.Function ? $"called {name}, not {test.Function}"
            : CallChecker.Fault(arguments, test) is { } wrong ? $"{wrong} | {written}"
            : null;
        return new Outcome(test, true, name == test.Function, tokens, fault);
    }

    public void Dispose() => _http.Dispose();

    private static bool IsObject(string json, out JsonElement value)
    {
        try
        {
            value = JsonDocument.Parse(json).RootElement;
            return value.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            value = default;
            return false;
        }
    }
}
