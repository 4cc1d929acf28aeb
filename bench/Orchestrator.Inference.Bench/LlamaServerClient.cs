using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Inference.Bench;

/// <summary>What llama-server answered.</summary>
/// <param name="Tokens">The answer's token ids.</param>
/// <param name="Computed">Prompt tokens that it computed.</param>
/// <param name="Reused">Prompt tokens that it found in a slot.</param>
/// <param name="FirstToken">From the request to the first token.</param>
internal sealed record ServerAnswer(int[] Tokens, int Computed, int Reused, TimeSpan FirstToken);

/// <summary>Talks to llama-server by its own completion endpoint, in token ids, so that it gets what the others get.</summary>
/// <param name="address">The server's address.</param>
/// <param name="time">The clock.</param>
internal sealed class LlamaServerClient(Uri address, TimeProvider time) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    // A long prompt behind others takes its time.
    private readonly HttpClient _http = new() { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Whether the server has loaded its model.</summary>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync("health", cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            // It doesn't listen yet.
            return false;
        }
    }

    /// <summary>Answers a prompt greedily, with a number of tokens whatever they are.</summary>
    public async Task<ServerAnswer> CompleteAsync(int[] prompt, int tokens, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        using var response = await _http.PostAsJsonAsync(
            "completion",
            new
            {
                Prompt = prompt,
                NPredict = tokens,
                Temperature = 0,
                CachePrompt = true,
                IgnoreEos = true,
                ReturnTokens = true,
                Stream = false,
            },
            Json,
            cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"llama-server gave {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}");
        }

        var answer = (await response.Content.ReadFromJsonAsync<Completion>(Json, cancellationToken))!;
        var elapsed = time.GetElapsedTime(start);

        // Not streamed: of a character of several tokens the server would send only the last one. What it says that
        // writing took is behind the first token.
        var first = elapsed - TimeSpan.FromMilliseconds(answer.Timings.PredictedMs);
        return new ServerAnswer(answer.Tokens, answer.Timings.PromptN, answer.Timings.CacheN, first);
    }

    public void Dispose() => _http.Dispose();

    private sealed record Completion([property: JsonRequired] int[] Tokens, [property: JsonRequired] Timings Timings);

    private sealed record Timings([property: JsonRequired] int PromptN, int CacheN, [property: JsonRequired] double PredictedMs);
}
