using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Core.Runs;

/// <summary>How run events are written as JSON: one object a line, camelCase, defaults left out.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UseStringEnumConverter = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(RunEvent))]
public sealed partial class RunEventJson : JsonSerializerContext;
