using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Testing.Models;

namespace Orchestrator.Server.Tests;

public sealed class ModelServerTests
{
    [Fact]
    public async Task The_openai_package_talks_to_it()
    {
        using var client = new ScriptedChatClient(request => request.LastText switch
        {
            "call" => ScriptedAnswer.Calls("weather", new { city = "Bern" }),
            "json" => ScriptedAnswer.SaysJson(new { x = 7 }),
            "plain" => ScriptedAnswer.Says("Hello there."),
            var text => ScriptedAnswer.Says($"after {text}"),
        });
        await using var server = await StartAsync(client, new ServerOptions { Token = "secret" });

        var result = await NodeAsync(server.Url, "secret");

        Assert.Equal("scripted", result.GetProperty("models")[0].GetString());
        Assert.Equal("Hello there.", result.GetProperty("plain").GetProperty("text").GetString());
        Assert.Equal("stop", result.GetProperty("plain").GetProperty("finish").GetString());
        Assert.True(result.GetProperty("plain").GetProperty("usage").GetProperty("completion_tokens").GetInt32() > 0);
        Assert.Equal("Hello there.", result.GetProperty("streamed").GetProperty("text").GetString());
        Assert.True(result.GetProperty("streamed").GetProperty("usage").GetProperty("total_tokens").GetInt32() > 0);
        Assert.Equal("tool_calls", result.GetProperty("tool").GetProperty("finish").GetString());
        Assert.Equal("weather", result.GetProperty("tool").GetProperty("function").GetProperty("name").GetString());
        Assert.Equal("""{"city":"Bern"}""", result.GetProperty("tool").GetProperty("function").GetProperty("arguments").GetString());
        Assert.Contains("after", result.GetProperty("tool").GetProperty("after").GetString(), StringComparison.Ordinal);
        Assert.Equal("""{"city":"Bern"}""", result.GetProperty("streamedTool").GetProperty("arguments").GetString());
        Assert.Equal(7, result.GetProperty("json").GetProperty("x").GetInt32());
        Assert.Equal(404, result.GetProperty("noSuchModel").GetProperty("status").GetInt32());
        Assert.Equal("temperature", result.GetProperty("badTemperature").GetProperty("param").GetString());
        Assert.Equal("audio", result.GetProperty("unknownOption").GetProperty("param").GetString());
        Assert.Equal(401, result.GetProperty("noToken").GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Health_needs_no_token_and_nothing_else_does_without()
    {
        using var client = ScriptedChatClient.Saying();
        await using var server = await StartAsync(client, new ServerOptions());
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };

        Assert.Equal(32, server.Token!.Length);
        Assert.True((await http.GetAsync("/health")).IsSuccessStatusCode);
        Assert.Equal(401, (int)(await http.GetAsync("/metrics")).StatusCode);
        Assert.Equal(401, (int)(await http.GetAsync("/v1/models")).StatusCode);
    }

    [Fact]
    public async Task Metrics_are_what_the_model_says_of_itself()
    {
        using var client = new AdaptedClient();
        await using var server = await StartAsync(client, new ServerOptions { Open = true });
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        var response = await http.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4", response.Content.Headers.ContentType!.ToString().Replace("; charset=utf-8", "", StringComparison.Ordinal));
        Assert.Equal(
            """
            # HELP orchestrator_steps_total Steps.
            # TYPE orchestrator_steps_total counter
            orchestrator_steps_total 3
            # HELP orchestrator_agent_tokens_total By agent.
            # TYPE orchestrator_agent_tokens_total counter
            orchestrator_agent_tokens_total{agent="a"} 1
            orchestrator_agent_tokens_total{agent="\"b\"\\\n"} 2.5

            """.ReplaceLineEndings("\n"),
            await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Adapters_are_models_of_their_own_or_named_beside()
    {
        using var client = new AdaptedClient();
        await using var server = await StartAsync(client, new ServerOptions { Open = true });
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        Assert.Contains("\"base:tone\"", await http.GetStringAsync("/v1/models"), StringComparison.Ordinal);

        Assert.Equal("tone*1", await AskAsync("base:tone", null));
        Assert.Equal("tone*0.5,style*1", await AskAsync("base:tone*0.5 + style", null));
        Assert.Equal("style*1,tone*2", await AskAsync("base", """["style", {"name":"tone","scale":2}]"""));
        Assert.Equal("", await AskAsync("base", null));
        Assert.Contains("It has: style, tone", await AskAsync("base:/etc/passwd", null), StringComparison.Ordinal);
        Assert.Contains("'other:tone' is not served", await AskAsync("other:tone", null), StringComparison.Ordinal);
        Assert.Contains("adapters[0]", await AskAsync("base", "[1]"), StringComparison.Ordinal);

        async Task<string> AskAsync(string model, string? adapters)
        {
            var extra = adapters is null ? "" : $",\"adapters\":{adapters}";
            using var body = new StringContent($$"""{"model":"{{model}}","messages":[{"role":"user","content":"?"}]{{extra}}}""", System.Text.Encoding.UTF8, "application/json");
            using var response = await http.PostAsync("/v1/chat/completions", body);
            var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            return response.IsSuccessStatusCode
                ? json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!
                : json.GetProperty("error").GetProperty("message").GetString()!;
        }
    }

    [Theory]
    [InlineData("\"none\"", "None")]
    [InlineData("\"minimal\"", "Low")]
    [InlineData("\"high\"", "High")]
    [InlineData("null", "")]
    [InlineData("\"much\"", null)]
    [InlineData("3", null)]
    public async Task How_much_a_model_reasons_is_asked_for_as_elsewhere(string effort, string? expected)
    {
        using var client = new ScriptedChatClient(request => ScriptedAnswer.Says($"{request.Options?.Reasoning?.Effort}."));
        await using var server = await StartAsync(client, new ServerOptions { Open = true });
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };

        var response = await http.PostAsync(
            "/v1/chat/completions", new StringContent($$"""{"messages":[{"role":"user","content":"x"}],"reasoning_effort":{{effort}}}"""));

        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(expected is null ? 400 : 200, (int)response.StatusCode);
        if (expected is null)
        {
            Assert.Equal("reasoning_effort", body.GetProperty("error").GetProperty("param").GetString());
            return;
        }

        Assert.Equal($"{expected}.", body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
    }

    [Fact]
    public async Task An_open_server_answers_only_to_a_loopback_name()
    {
        using var client = ScriptedChatClient.Saying();
        await using var server = await StartAsync(client, new ServerOptions { Open = true });
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };

        Assert.True((await http.GetAsync("/v1/models")).IsSuccessStatusCode);
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/v1/models") { Headers = { Host = "attacker.example" } };
        Assert.Equal(401, (int)(await http.SendAsync(rebound)).StatusCode);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", true)]
    [InlineData("nonsense", false)]
    public async Task An_unsafe_or_broken_address_is_refused(string url, bool open)
    {
        using var client = ScriptedChatClient.Saying();
        var error = await Assert.ThrowsAsync<OrchestratorException>(
            () => ModelServer.StartAsync(new ServerOptions { Url = url, Open = open }, client, null, TimeProvider.System));
        Assert.Equal(ErrorKind.Configuration, error.Kind);
        Assert.NotNull(error.Remedy);
    }

    [Fact]
    public async Task A_failure_of_the_model_is_an_error_that_clients_understand()
    {
        using var client = new ScriptedChatClient(ScriptedAnswer.Throws(new OrchestratorException(ErrorKind.Model, "The prompt does not fit.")));
        await using var server = await StartAsync(client, new ServerOptions { Open = true });
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };

        var response = await http.PostAsync(
            "/v1/chat/completions", new StringContent("""{"messages":[{"role":"user","content":"x"}]}"""));

        Assert.Equal(503, (int)response.StatusCode);
        Assert.Contains("The prompt does not fit.", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(InferenceError.BadRequest, 400, null)]
    [InlineData(InferenceError.ContextOverflow, 400, "context_length_exceeded")]
    [InlineData(InferenceError.QueueFull, 429, "rate_limit_exceeded")]
    [InlineData(InferenceError.DeadlineExceeded, 504, null)]
    [InlineData(InferenceError.DriverFailed, 500, null)]
    [InlineData(InferenceError.Closed, 503, null)]
    public async Task A_refusal_says_whether_it_is_worth_trying_again(InferenceError refusal, int status, string? code)
    {
        using var client = new ScriptedChatClient(ScriptedAnswer.Throws(new InferenceException(refusal, "It's no good.", "Do better.")));
        await using var server = await StartAsync(client, new ServerOptions { Open = true });
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };

        var response = await http.PostAsync(
            "/v1/chat/completions", new StringContent("""{"messages":[{"role":"user","content":"x"}]}"""));

        var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("error");
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Equal("It's no good. Do better.", error.GetProperty("message").GetString());
        Assert.Equal(status == 429, response.Headers.RetryAfter is not null);
    }

    [Theory]
    [InlineData("POST", "/v1/responses")]
    [InlineData("GET", "/v1/nothing")]
    [InlineData("GET", "/v1/chat/completions")]
    public async Task What_is_not_served_is_an_error_that_clients_understand(string method, string path)
    {
        using var client = ScriptedChatClient.Saying();
        await using var server = await StartAsync(client, new ServerOptions { Open = true });
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };

        var response = await http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("error");
        Assert.Equal(404, (int)response.StatusCode);
        Assert.Contains($"{method} {path}", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_is_not_escaped_beyond_what_JSON_asks_for()
    {
        using var client = ScriptedChatClient.Saying("It's \"fünf\" < 6 & so on 🚀");
        await using var server = await StartAsync(client, new ServerOptions { Open = true });
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };

        var response = await http.PostAsync(
            "/v1/chat/completions", new StringContent("""{"messages":[{"role":"user","content":"x"}]}"""));

        Assert.Contains("It's \\\"fünf\\\" < 6 & so on", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static Task<ModelServer> StartAsync(IChatClient client, ServerOptions options)
    {
        options.Url = "http://127.0.0.1:0";
        return ModelServer.StartAsync(options, client, null, TimeProvider.System);
    }

    private static async Task<JsonElement> NodeAsync(string url, string token)
    {
        var start = new ProcessStartInfo("node", ["client.mjs", url, token])
        {
            WorkingDirectory = Path.Combine(AppContext.BaseDirectory, "client"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    /// <summary>Answers with the adapters that it was asked to use.</summary>
    private sealed class AdaptedClient : IChatClient, IModelAdapters, IModelStatistics
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(
                ChatRole.Assistant,
                string.Join(',', ModelRequest.From(options).Adapters.Select(a => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{a.Name}*{a.Scale}"))))));

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("test", null, "base") : serviceType.IsInstanceOfType(this) ? this : null;

        public IReadOnlyList<string> List() => ["style", "tone"];

        public IReadOnlyList<ModelStatistic> Read() =>
        [
            new("steps_total", "Steps.", 3, IsCounter: true),
            new("agent_tokens_total", "By agent.", 1, IsCounter: true, [new("agent", "a")]),
            new("agent_tokens_total", "By agent.", 2.5, IsCounter: true, [new("agent", "\"b\"\\\n")]),
        ];

        public void Dispose()
        {
        }
    }
}
