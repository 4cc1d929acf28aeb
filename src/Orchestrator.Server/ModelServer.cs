using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Core;
using Orchestrator.Core.Models;
using Orchestrator.Server.OpenAi;

namespace Orchestrator.Server;

/// <summary>
/// Serves a chat client on this machine: OpenAI's API under <c>/v1</c>, <c>/health</c>, and <c>/metrics</c> in
/// Prometheus' format.
/// </summary>
public sealed class ModelServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private ModelServer(WebApplication application, string? token)
    {
        _application = application;
        Token = token;
    }

    /// <summary>Where it listens, with the port that was found where port 0 was asked for.</summary>
    public string Url => _application.Urls.First();

    /// <summary>What clients have to send as <c>Authorization: Bearer</c>; null where nothing is asked of them.</summary>
    public string? Token { get; }

    /// <summary>Starts to serve.</summary>
    /// <param name="options">Where, and to whom.</param>
    /// <param name="client">What is served; stays the caller's.</param>
    /// <param name="embeddings">Serves <c>/v1/embeddings</c>, or null.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    /// <returns>The server; dispose it to stop.</returns>
    /// <exception cref="OrchestratorException">The address can't be used, or would be open to others without a token.</exception>
    public static async Task<ModelServer> StartAsync(
        ServerOptions options,
        IChatClient client,
        IEmbeddingGenerator<string, Embedding<float>>? embeddings,
        TimeProvider time,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(client);
        RequireSafe(options);
        var token = options.Open ? null : options.Token ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(options.Url);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 32L << 20);
        var application = builder.Build();
        Map(application, client, embeddings, token, time);
        try
        {
            await application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw new OrchestratorException(
                ErrorKind.Configuration, $"Cannot listen on {options.Url}: {e.Message}", "Choose another port with --url.", e);
        }

        return new ModelServer(application, token);
    }

    /// <summary>Waits until the server is stopped.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>When it has stopped.</returns>
    public Task WaitAsync(CancellationToken cancellationToken) => ((IHost)_application).WaitForShutdownAsync(cancellationToken);

    /// <summary>Stops; requests under way end.</summary>
    /// <returns>When it has stopped.</returns>
    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static void RequireSafe(ServerOptions options)
    {
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new OrchestratorException(
                ErrorKind.Configuration, $"'{options.Url}' is no address to listen on.", "Write it like http://127.0.0.1:8642.");
        }

        if (options.Open && !url.IsLoopback)
        {
            throw new OrchestratorException(
                ErrorKind.Configuration,
                $"Without a token anybody who reaches {options.Url} could use the model.",
                "Listen on 127.0.0.1, or set a token.");
        }
    }

    private static void Map(
        WebApplication application,
        IChatClient client,
        IEmbeddingGenerator<string, Embedding<float>>? embeddings,
        string? token,
        TimeProvider time)
    {
        var api = new OpenAiApi(client, embeddings, time);
        application.Use((context, next) => Allowed(context, token) ? next(context) : RefuseAsync(context));
        application.MapGet("/health", () => Results.Json(new { status = "ok" }));
        application.MapGet("/metrics", () => Results.Text(PrometheusText.Write(client.GetService<IModelStatistics>()?.Read() ?? []), PrometheusText.ContentType));
        application.MapGet("/v1/models", api.ModelsAsync);
        application.MapPost("/v1/chat/completions", api.ChatAsync);
        application.MapPost("/v1/embeddings", api.EmbeddingsAsync);
        application.MapFallback(context => OpenAiApi.RefuseAsync(context, new ApiException(
            StatusCodes.Status404NotFound, $"There is no {context.Request.Method} {context.Request.Path} here.", code: "unknown_url")));
    }

    // A page in the user's browser can reach a loopback address, so the token is asked for there too; and a name that
    // resolves to the loopback address must not do (DNS rebinding).
    private static bool Allowed(HttpContext context, string? token)
    {
        if (context.Request.Path == "/health")
        {
            return true;
        }

        if (token is null)
        {
            return context.Request.Host.Host is "localhost" || (IPAddress.TryParse(context.Request.Host.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
        }

        var sent = context.Request.Headers.Authorization.ToString();
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(sent), Encoding.UTF8.GetBytes($"Bearer {token}"));
    }

    private static Task RefuseAsync(HttpContext context) => OpenAiApi.RefuseAsync(context, new ApiException(
        StatusCodes.Status401Unauthorized, "Send the server's token as 'Authorization: Bearer TOKEN'.", code: "invalid_api_key"));
}
