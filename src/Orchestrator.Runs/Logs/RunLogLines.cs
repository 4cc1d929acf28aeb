using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Core.Runs;

namespace Orchestrator.Runs.Logs;

/// <summary>Turns events into lines of the log and back, with secrets taken out.</summary>
internal sealed class RunLogLines
{
    private readonly RunEventJson _json;
    private readonly Redaction? _redaction;

    internal RunLogLines(Func<string, string>? redact = null)
    {
        if (redact is null)
        {
            _json = RunEventJson.Default;
            return;
        }

        _redaction = new Redaction(redact);
        var options = new JsonSerializerOptions(RunEventJson.Default.Options);
        options.Converters.Add(new RedactedStrings(_redaction));
        options.Converters.Add(new RedactedElements(_redaction));
        _json = new RunEventJson(options);
    }

    /// <summary>The names of the kinds of event that this version knows.</summary>
    internal static FrozenSet<string> Kinds { get; } = typeof(RunEvent)
        .GetCustomAttributes<JsonDerivedTypeAttribute>()
        .Select(a => (string)a.TypeDiscriminator!)
        .ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Reads a line.</summary>
    /// <exception cref="JsonException">The line is not an event of a known kind.</exception>
    internal static RunEvent Read(ReadOnlySpan<byte> line) =>
        JsonSerializer.Deserialize(line, RunEventJson.Default.RunEvent) ?? throw new JsonException("The line is null.");

    /// <summary>Writes an event as a line, newline included. Not to be called from several threads at once.</summary>
    /// <returns>The line, and the event as it reads back where something was taken out.</returns>
    internal (byte[] Line, RunEvent Recorded) Write(RunEvent runEvent)
    {
        if (_redaction is not null)
        {
            _redaction.Changed = false;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(runEvent, _json.RunEvent);
        var recorded = _redaction is { Changed: true } ? Read(json) : runEvent;
        Array.Resize(ref json, json.Length + 1);
        json[^1] = (byte)'\n';
        return (json, recorded);
    }

    private sealed class Redaction(Func<string, string> redact)
    {
        internal bool Changed { get; set; }

        internal string Apply(string text)
        {
            var redacted = redact(text);
            Changed |= !string.Equals(redacted, text, StringComparison.Ordinal);
            return redacted;
        }
    }

    private sealed class RedactedStrings(Redaction redaction) : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetString();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WriteStringValue(redaction.Apply(value));

        public override string ReadAsPropertyName(
            ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString()!;

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WritePropertyName(redaction.Apply(value));
    }

    private sealed class RedactedElements(Redaction redaction) : JsonConverter<JsonElement>
    {
        public override JsonElement Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonElement.ParseValue(ref reader);

        public override void Write(Utf8JsonWriter writer, JsonElement value, JsonSerializerOptions options)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    writer.WriteStringValue(redaction.Apply(value.GetString()!));
                    break;
                case JsonValueKind.Array:
                    writer.WriteStartArray();
                    foreach (var item in value.EnumerateArray())
                    {
                        Write(writer, item, options);
                    }

                    writer.WriteEndArray();
                    break;
                case JsonValueKind.Object:
                    writer.WriteStartObject();
                    foreach (var property in value.EnumerateObject())
                    {
                        writer.WritePropertyName(redaction.Apply(property.Name));
                        Write(writer, property.Value, options);
                    }

                    writer.WriteEndObject();
                    break;
                default:
                    value.WriteTo(writer);
                    break;
            }
        }
    }
}
