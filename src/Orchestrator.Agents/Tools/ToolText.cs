using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Orchestrator.Core.Text;

namespace Orchestrator.Agents.Tools;

/// <summary>What goes into a tool and comes out of it, as text.</summary>
internal static class ToolText
{
    private static readonly JsonSerializerOptions Json = new(AIJsonUtilities.DefaultOptions)
    {
        WriteIndented = false,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static JsonElement Arguments(KernelArguments arguments)
    {
        var json = new JsonObject();
        foreach (var (name, value) in arguments)
        {
            json[name] = value is null ? null : JsonSerializer.SerializeToNode(value, value.GetType(), Json);
        }

        return JsonSerializer.SerializeToElement(json, Json);
    }

    public static string Result(FunctionResult result) => result.GetValue<object>() switch
    {
        null => "",
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString()!,
        JsonElement json => json.GetRawText(),
        AIContent content => Content(content),
        IEnumerable<AIContent> contents => string.Join('\n', contents.Select(Content)),
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        ChatMessageContent message => message.Content ?? "",
        ChatResponse response => response.Text,
        var value => JsonSerializer.Serialize(value, value.GetType(), Json),
    };

    /// <summary>Keeps the beginning, and says what was left out.</summary>
    public static string Shorten(string text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        var beginning = Excerpt.Beginning(text, maxLength);
        return $"{beginning}\n[{text.Length - beginning.Length} more characters]";
    }

    public static string Error(Exception exception) => exception switch
    {
        TargetInvocationException { InnerException: { } inner } => Error(inner),
        AggregateException { InnerExceptions: [var only] } => Error(only),
        Core.OrchestratorException or ArgumentException or KernelException => exception.Message,
        _ => $"{exception.GetType().Name}: {exception.Message}",
    };

    private static string Content(AIContent content) => content switch
    {
        Microsoft.Extensions.AI.TextContent text => text.Text,
        _ => JsonSerializer.Serialize(content, Json),
    };
}
