using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Orchestrator.Core;
using Orchestrator.Core.Models;

namespace Orchestrator.Server.OpenAi;

/// <summary>
/// OpenAI's HTTP API over one chat client: chat completions, embeddings and models
/// (https://platform.openai.com/docs/api-reference).
/// </summary>
internal sealed class OpenAiApi(
    IChatClient client, IEmbeddingGenerator<string, Embedding<float>>? embeddings, TimeProvider time)
{
    // It is never a part of a page, so that only what JSON itself asks for is escaped.
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _model = client.GetService<ChatClientMetadata>()?.DefaultModelId ?? "model";
    private readonly long _started = time.GetUtcNow().ToUnixTimeSeconds();
    private long _requests;

    public Task ModelsAsync(HttpContext context) => WriteAsync(context, new JsonObject
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. Adapters().Select(adapter => $"{_model}:{adapter}").Prepend(_model).Select(id => (JsonNode)new JsonObject
        {
            ["id"] = id,
            ["object"] = "model",
            ["created"] = _started,
            ["owned_by"] = "local",
        })]),
    });

    public async Task ChatAsync(HttpContext context)
    {
        try
        {
            var request = Adapted(ChatRequestReader.Read(await BodyAsync(context)));
            var id = string.Create(CultureInfo.InvariantCulture, $"chatcmpl-{_started:x}-{Interlocked.Increment(ref _requests)}");
            if (request.Stream)
            {
                await StreamAsync(context, request, id);
            }
            else
            {
                var answers = await Task.WhenAll(Enumerable.Range(0, request.Count).Select(index =>
                    client.GetResponseAsync(request.Messages, Options(request, index), context.RequestAborted)));
                await WriteAsync(context, ChatResponseWriter.Completion(id, _model, Now(), answers));
            }
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            await FailAsync(context, e);
        }
    }

    public async Task EmbeddingsAsync(HttpContext context)
    {
        try
        {
            var body = await BodyAsync(context);
            if (embeddings is null)
            {
                throw new ApiException(StatusCodes.Status501NotImplemented, "Embeddings are not served here.");
            }

            var inputs = body.TryGetProperty("input", out var input) ? Inputs(input) : throw ApiException.Invalid("input", "'input' is missing.");
            var base64 = body.TryGetProperty("encoding_format", out var format) && format.ValueEquals("base64");
            var vectors = await embeddings.GenerateAsync(inputs, cancellationToken: context.RequestAborted);
            var tokens = vectors.Usage?.InputTokenCount ?? 0;
            await WriteAsync(context, new JsonObject
            {
                ["object"] = "list",
                ["model"] = _model,
                ["data"] = new JsonArray([.. vectors.Select((v, i) => (JsonNode)new JsonObject
                {
                    ["object"] = "embedding",
                    ["index"] = i,
                    ["embedding"] = base64
                        ? Convert.ToBase64String(MemoryMarshal.AsBytes(v.Vector.Span))
                        : new JsonArray([.. v.Vector.ToArray().Select(x => (JsonNode)x)]),
                })]),
                ["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens },
            });
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            await FailAsync(context, e);
        }
    }

    private async Task StreamAsync(HttpContext context, ChatRequest request, string id)
    {
        var created = Now();
        var usages = new List<UsageDetails?>();
        var begun = false;
        for (var index = 0; index < request.Count; index++)
        {
            var calls = 0;
            await foreach (var update in client.GetStreamingResponseAsync(request.Messages, Options(request, index), context.RequestAborted))
            {
                // The first piece of an answer shows that the request is good; until then an error is an ordinary one.
                if (!begun)
                {
                    begun = true;
                    context.Response.ContentType = "text/event-stream";
                    context.Response.Headers.CacheControl = "no-cache";
                }

                if (calls == 0 && usages.Count <= index)
                {
                    usages.Add(null);
                    await EventAsync(context, ChatResponseWriter.Chunk(id, _model, created, index, new JsonObject { ["role"] = "assistant", ["content"] = "" }));
                }

                if (ChatResponseWriter.Chunk(id, _model, created, index, update, ref calls) is { } chunk)
                {
                    await EventAsync(context, chunk);
                }

                usages[index] = update.Contents.OfType<UsageContent>().LastOrDefault()?.Details ?? usages[index];
            }
        }

        if (request.IncludeUsage)
        {
            await EventAsync(context, ChatResponseWriter.UsageChunk(id, _model, created, usages));
        }

        await context.Response.WriteAsync("data: [DONE]\n\n", context.RequestAborted);
    }

    private static ChatOptions Options(ChatRequest request, int index)
    {
        if (index == 0 || request.Options.Seed is not { } seed)
        {
            return request.Options;
        }

        var options = request.Options.Clone();
        options.Seed = seed + index;
        return options;
    }

    /// <summary>Applies the adapters that a request names, as "base:adapter" or in the field "adapters".</summary>
    private ChatRequest Adapted(ChatRequest request)
    {
        var uses = request.Adapters;
        if (request.Model is { } name && name != _model && name != "default")
        {
            var adapter = new[] { _model, "default" }
                .Where(model => name.StartsWith(model + ":", StringComparison.Ordinal))
                .Select(model => name[(model.Length + 1)..])
                .FirstOrDefault() ?? throw new ApiException(StatusCodes.Status404NotFound, $"The model '{name}' is not served here; '{_model}' is.", "model", "model_not_found");
            uses = [.. AdapterUse.Parse(adapter), .. uses];
        }

        if (uses.Count == 0)
        {
            return request;
        }

        // Only names: a client must not make the server read files by their paths.
        var known = Adapters();
        if (uses.FirstOrDefault(use => !known.Contains(use.Name)) is { } unknown)
        {
            throw new ApiException(
                StatusCodes.Status404NotFound,
                $"There is no adapter '{unknown.Name}' for '{_model}'. {(known.Count == 0 ? "It has none" : $"It has: {string.Join(", ", known)}")}.",
                "model",
                "model_not_found");
        }

        return request with { Options = (ModelRequest.From(request.Options) with { Adapters = uses }).ApplyTo(request.Options) };
    }

    private IReadOnlyList<string> Adapters() => client.GetService<IModelAdapters>()?.List() ?? [];

    private static string[] Inputs(JsonElement input) => input.ValueKind switch
    {
        JsonValueKind.String => [input.GetString()!],
        JsonValueKind.Array when input.GetArrayLength() > 0 && input.EnumerateArray().All(i => i.ValueKind == JsonValueKind.String) =>
            [.. input.EnumerateArray().Select(i => i.GetString()!)],
        _ => throw ApiException.Invalid("input", "'input' must be a string or an array of strings."),
    };

    private static async Task<JsonElement> BodyAsync(HttpContext context)
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body, cancellationToken: context.RequestAborted);
        }
        catch (JsonException e)
        {
            throw new ApiException(StatusCodes.Status400BadRequest, $"The body is not JSON: {e.Message}");
        }
    }

    private static async Task FailAsync(HttpContext context, Exception exception)
    {
        var error = ApiException.Of(exception);
        if (context.Response.HasStarted)
        {
            // The status is sent already: the error ends the stream.
            await EventAsync(context, error.Body());
            return;
        }

        await RefuseAsync(context, error);
    }

    /// <summary>Answers with an error.</summary>
    public static Task RefuseAsync(HttpContext context, ApiException error)
    {
        context.Response.StatusCode = error.Status;
        if (error.Status == StatusCodes.Status429TooManyRequests)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return WriteAsync(context, error.Body());
    }

    private static async Task EventAsync(HttpContext context, JsonObject json)
    {
        await context.Response.WriteAsync($"data: {json.ToJsonString(Json)}\n\n", Encoding.UTF8, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static Task WriteAsync(HttpContext context, JsonObject json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json.ToJsonString(Json), Encoding.UTF8, context.RequestAborted);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeSeconds();
}
