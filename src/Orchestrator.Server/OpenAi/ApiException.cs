using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.Core;
using Orchestrator.Core.Models;

namespace Orchestrator.Server.OpenAi;

/// <summary>An error as OpenAI's clients understand it: they try 408, 429 and what is from 500 on again, and nothing else.</summary>
internal sealed class ApiException(int status, string message, string? parameter = null, string? code = null) : Exception(message)
{
    public int Status { get; } = status;

    public JsonObject Body() => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = Message,
            ["type"] = Status switch
            {
                StatusCodes.Status429TooManyRequests => "rate_limit_error",
                >= StatusCodes.Status500InternalServerError => "server_error",
                _ => "invalid_request_error",
            },
            ["param"] = parameter,
            ["code"] = code,
        },
    };

    public static ApiException Invalid(string parameter, string message) =>
        new(StatusCodes.Status400BadRequest, message, parameter);

    /// <summary>What a failure is to a client.</summary>
    public static ApiException Of(Exception exception) => exception switch
    {
        ApiException api => api,
        InferenceException e => Of(e),
        OrchestratorException { Kind: ErrorKind.Usage or ErrorKind.Configuration } e => new(StatusCodes.Status400BadRequest, Told(e)),
        OrchestratorException e => new(StatusCodes.Status503ServiceUnavailable, Told(e)),
        ArgumentException e => new(StatusCodes.Status400BadRequest, e.Message),
        var e => new(StatusCodes.Status500InternalServerError, e.Message),
    };

    private static ApiException Of(InferenceException e) => e.Error switch
    {
        InferenceError.BadRequest or InferenceError.Adapter => new(StatusCodes.Status400BadRequest, Told(e)),
        InferenceError.ContextOverflow => new(StatusCodes.Status400BadRequest, Told(e), "messages", "context_length_exceeded"),
        InferenceError.QueueFull => new(StatusCodes.Status429TooManyRequests, Told(e), code: "rate_limit_exceeded"),
        InferenceError.DeadlineExceeded => new(StatusCodes.Status504GatewayTimeout, Told(e)),
        InferenceError.Closed => new(StatusCodes.Status503ServiceUnavailable, Told(e)),
        _ => new(StatusCodes.Status500InternalServerError, Told(e)),
    };

    private static string Told(OrchestratorException e) => e.Remedy is null ? e.Message : $"{e.Message} {e.Remedy}";
}
