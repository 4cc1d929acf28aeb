using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.SemanticKernel;
using Orchestrator.Agents.Definitions;

namespace Orchestrator.Agents.Prompts;

/// <summary>Reads prompt files.</summary>
internal static class PromptFile
{
    public static PromptTemplate Read(string path, string text, string sha256)
    {
        var map = DefinitionReader.Read(path, text, PromptShape.File, m => Check(m, text));
        var config = Config(map, path);
        try
        {
            return new PromptTemplate(config, path, sha256);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new DefinitionException(map.Error("template", $"the template is broken: {e.Message}"));
        }
    }

    private static PromptTemplateConfig Config(DefinitionMap map, string path)
    {
        var config = new PromptTemplateConfig(map.Text("template")!)
        {
            Name = map.Text("name") ?? Path.GetFileNameWithoutExtension(path),
            Description = map.Text("description"),
            TemplateFormat = Format(map),
            AllowDangerouslySetContent = map.Flag("allow_dangerously_set_content") ?? false,
            InputVariables = [.. map.Maps("input_variables").Select(v => new InputVariable
            {
                Name = v.Text("name")!,
                Description = v.Text("description") ?? "",
                Default = Scalar(v.Anything("default")),
                IsRequired = v.Flag("is_required") ?? true,
                JsonSchema = v.Anything("json_schema")?.ToJsonString(),
                AllowDangerouslySetContent = v.Flag("allow_dangerously_set_content") ?? false,
            })],
        };
        if (map.Map("output_variable") is { } output)
        {
            config.OutputVariable = new OutputVariable
            {
                Description = output.Text("description") ?? "",
                JsonSchema = output.Anything("json_schema")?.ToJsonString(),
            };
        }

        if (map.Map("execution_settings") is { } settings)
        {
            foreach (var service in settings.Keys)
            {
                config.ExecutionSettings[service] = Settings(settings.Anything(service));
            }
        }

        return config;
    }

    private static PromptExecutionSettings Settings(JsonNode? node)
    {
        var settings = new PromptExecutionSettings { ExtensionData = new Dictionary<string, object>() };
        foreach (var (key, value) in node as JsonObject ?? [])
        {
            if (key == "model_id")
            {
                settings.ModelId = value?.ToString();
            }
            else if (key == "function_choice_behavior")
            {
                settings.FunctionChoiceBehavior = (value as JsonObject)?["type"]?.ToString() switch
                {
                    "required" => FunctionChoiceBehavior.Required(),
                    "none" => FunctionChoiceBehavior.None(),
                    _ => FunctionChoiceBehavior.Auto(),
                };
            }
            else if (value is not null)
            {
                settings.ExtensionData[key] = JsonSerializer.SerializeToElement(value);
            }
        }

        return settings;
    }

    private static IEnumerable<DefinitionError> Check(DefinitionMap map, string text)
    {
        string[] known = [.. map.Maps("input_variables").Select(v => v.Text("name")!)];
        foreach (var (variable, index) in map.Maps("input_variables").Select((v, i) => (v, i)))
        {
            if (Array.IndexOf(known, known[index]) < index)
            {
                yield return variable.Error("name", $"there are two variables '{known[index]}'");
            }
        }

        IReadOnlyList<string> used;
        string? broken = null;
        try
        {
            used = TemplateVariables.Find(Format(map), map.Text("template")!);
        }
        catch (FormatException e)
        {
            used = [];
            broken = e.Message;
        }

        if (broken is not null)
        {
            yield return map.Error("template", $"the template is broken: {broken}");
        }

        foreach (var name in used.Where(n => !known.Contains(n)))
        {
            var error = map.Error("template", $"the template uses '{name}', which is not among its input variables{Spelling.Hint(name, known)}");
            yield return Locate(error, text, name);
        }
    }

    /// <summary>Moves an error from the template's first line to the line that uses the variable.</summary>
    private static DefinitionError Locate(DefinitionError error, string text, string name)
    {
        var lines = text.Split('\n');
        for (var i = error.Line - 1; i < lines.Length; i++)
        {
            var opens = lines[i].IndexOf('{', StringComparison.Ordinal);
            var column = opens < 0 ? -1 : lines[i].IndexOf(name, opens, StringComparison.Ordinal);
            if (column >= 0)
            {
                return error with { Line = i + 1, Column = column + 1 };
            }
        }

        return error;
    }

    private static string Format(DefinitionMap map) => map.Text("template_format") ?? PromptFormats.SemanticKernel;

    private static object? Scalar(JsonNode? node) => node switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => JsonSerializer.SerializeToElement(node),
    };
}
