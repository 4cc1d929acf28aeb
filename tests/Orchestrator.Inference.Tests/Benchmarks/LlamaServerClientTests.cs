using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Inference.Bench;

namespace Orchestrator.Inference.Tests.Benchmarks;

public sealed class LlamaServerClientTests : IDisposable
{
    private readonly HttpListener _server = new();
    private readonly FakeTimeProvider _time = new();
    private readonly LlamaServerClient _client;

    public LlamaServerClientTests()
    {
        using var port = new TcpListener(IPAddress.Loopback, 0);
        port.Start();
        var address = $"http://{port.LocalEndpoint}/";
        port.Stop();
        _server.Prefixes.Add(address);
        _client = new LlamaServerClient(new Uri(address), _time);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Close();
    }

    [Fact]
    public async Task A_prompt_goes_out_and_comes_back_in_token_ids()
    {
        _server.Start();
        var asked = _client.CompleteAsync([5, 6, 7], 2, CancellationToken.None);
        var context = await _server.GetContextAsync();
        var request = (await JsonDocument.ParseAsync(context.Request.InputStream)).RootElement;
        Assert.Equal("/completion", context.Request.Url!.AbsolutePath);
        Assert.Equal([5, 6, 7], request.GetProperty("prompt").EnumerateArray().Select(token => token.GetInt32()));
        Assert.Equal(2, request.GetProperty("n_predict").GetInt32());
        Assert.True(request.GetProperty("cache_prompt").GetBoolean());
        Assert.True(request.GetProperty("ignore_eos").GetBoolean());
        Assert.Equal(0, request.GetProperty("temperature").GetDouble());

        _time.Advance(TimeSpan.FromMilliseconds(100));
        await ReplyAsync(context, 200, """{"content": "xy", "tokens": [8, 9], "timings": {"cache_n": 2, "prompt_n": 1, "prompt_ms": 3.5, "predicted_ms": 40.0}}""");
        var answer = await asked;
        Assert.Equal([8, 9], answer.Tokens);
        Assert.Equal((1, 2, TimeSpan.FromMilliseconds(60)), (answer.Computed, answer.Reused, answer.FirstToken));
    }

    [Fact]
    public async Task An_error_of_the_server_is_told_in_its_words()
    {
        _server.Start();
        var asked = _client.CompleteAsync([5], 2, CancellationToken.None);
        await ReplyAsync(await _server.GetContextAsync(), 400, """{"error": {"message": "the request exceeds the available context size"}}""");
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => asked);
        Assert.Contains("exceeds the available context size", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_ready_once_it_listens_and_has_loaded()
    {
        Assert.False(await _client.IsReadyAsync(CancellationToken.None));
        _server.Start();
        foreach (var (status, ready) in new[] { (503, false), (200, true) })
        {
            var asked = _client.IsReadyAsync(CancellationToken.None);
            var context = await _server.GetContextAsync();
            Assert.Equal("/health", context.Request.Url!.AbsolutePath);
            await ReplyAsync(context, status, "{}");
            Assert.Equal(ready, await asked);
        }
    }

    private static async Task ReplyAsync(HttpListenerContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.OutputStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(body));
        context.Response.Close();
    }
}
