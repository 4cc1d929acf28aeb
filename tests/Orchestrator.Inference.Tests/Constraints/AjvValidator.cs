using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Orchestrator.Inference.Tests.Constraints;

/// <summary>The validator ajv in a process of Node.js: knows nothing of our code.</summary>
internal sealed class AjvValidator : IDisposable
{
    private readonly Process _process;

    private AjvValidator(Process process) => _process = process;

    /// <summary>Why there is no validator, or null.</summary>
    public static string? Missing(string folder)
        => Directory.Exists(Path.Combine(folder, "node_modules", "ajv")) ? null : $"ajv is not installed: run `npm ci` in {folder}";

    public static AjvValidator Start(string folder)
    {
        var start = new ProcessStartInfo("node", "validate.mjs")
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = new UTF8Encoding(false),
        };
        return new AjvValidator(Process.Start(start)!);
    }

    /// <summary>Whether each text is valid; null where ajv refuses the schema.</summary>
    public bool[]? Validate(string schema, IReadOnlyList<string> texts)
    {
        using var parsed = JsonDocument.Parse(schema);
        _process.StandardInput.WriteLine(JsonSerializer.Serialize(new { schema = parsed.RootElement, texts }));
        _process.StandardInput.Flush();
        using var answer = JsonDocument.Parse(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("ajv ended."));
        return answer.RootElement.ValueKind == JsonValueKind.Array ? [.. answer.RootElement.EnumerateArray().Select(valid => valid.GetBoolean())] : null;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit(5_000);
        _process.Dispose();
    }
}
