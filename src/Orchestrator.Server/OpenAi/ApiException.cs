using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.Server.OpenAi;

/// <summary>An error as OpenAI's clients understand it.</summary>
internal sealed class ApiException(int status, string message, string? parameter = null) : Exception(message)
{
    public int Status { get; } = status;

    public static JsonObject Body(int status, string message, string? parameter = null) => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = message,
            ["type"] = status >= 500 ? "server_error" : "invalid_request_error",
            ["param"] = parameter,
            ["code"] = null,
        },
    };

    public JsonObject Body() => Body(Status, Message, parameter);

    public static ApiException Invalid(string parameter, string message) =>
        new(StatusCodes.Status400BadRequest, message, parameter);
}
